"""2.50: quota classes show server groups and leave network quotas out."""

from __future__ import annotations

from nova.api.compute.versions.base import Change, Was
from nova.api.compute.versions.places import QUOTA_CLASSES, at
from nova.api.wsgi.schema_parts import QUOTA_LIMIT

CHANGE = Change(
    version="2.50",
    summary="Quota classes show server groups and leave network quotas out.",
    drops_request={
        "quota_classes.update": {
            "quota_class_set.fixed_ips": Was(QUOTA_LIMIT),
            "quota_class_set.floating_ips": Was(QUOTA_LIMIT),
            "quota_class_set.security_group_rules": Was(QUOTA_LIMIT),
            "quota_class_set.security_groups": Was(QUOTA_LIMIT),
        }
    },
    adds_response=at(QUOTA_CLASSES, "server_groups", "server_group_members"),
    drops_response=at(QUOTA_CLASSES, "fixed_ips", "floating_ips", "security_groups", "security_group_rules"),
)
