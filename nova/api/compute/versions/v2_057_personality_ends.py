"""2.57: files are no longer injected; rebuild may change the user data."""

from __future__ import annotations

from nova.api.compute.versions.base import Change, Was
from nova.api.compute.versions.places import QUOTA_CLASSES, QUOTA_SETS, at, join
from nova.api.wsgi.schema_parts import BASE64, QUOTA_LIMIT, STRING, closed, many

CHANGE = Change(
    version="2.57",
    summary="Files are no longer injected; rebuild may change the user data.",
    features=("personality_ended",),
    adds_request={"servers.rebuild": ("rebuild.user_data",)},
    drops_request={
        "quota_classes.update": {
            "quota_class_set.injected_file_content_bytes": Was(QUOTA_LIMIT),
            "quota_class_set.injected_file_path_bytes": Was(QUOTA_LIMIT),
            "quota_class_set.injected_files": Was(QUOTA_LIMIT),
        },
        "quota_sets.update": {
            "quota_set.injected_file_content_bytes": Was(QUOTA_LIMIT),
            "quota_set.injected_file_path_bytes": Was(QUOTA_LIMIT),
            "quota_set.injected_files": Was(QUOTA_LIMIT),
        },
        "servers.create": {"server.personality": Was(many(closed({"contents": BASE64, "path": STRING})))},
        "servers.rebuild": {"rebuild.personality": Was(many(closed({"contents": BASE64, "path": STRING})))},
    },
    adds_response={"servers.rebuild": ("server.user_data",)},
    drops_response=join(
        at(QUOTA_SETS, "injected_file_content_bytes", "injected_file_path_bytes", "injected_files"),
        at(QUOTA_CLASSES, "injected_file_content_bytes", "injected_file_path_bytes", "injected_files"),
        {
            "limits.index": (
                "limits.absolute.maxPersonality",
                "limits.absolute.maxPersonalitySize",
            )
        },
    ),
)
