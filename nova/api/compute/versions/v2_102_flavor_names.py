"""2.102: flavors are filtered by name; unknown query keys are refused everywhere."""

from __future__ import annotations

from nova.api.compute.versions.base import Change, Was
from nova.api.compute.versions.places import FLAVORS, at
from nova.api.wsgi.schema_parts import one_of_words

SORT_KEYS = one_of_words(
    "created_at",
    "description",
    "disabled",
    "ephemeral_gb",
    "flavorid",
    "id",
    "is_public",
    "memory_mb",
    "name",
    "root_gb",
    "rxtx_factor",
    "swap",
    "updated_at",
    "vcpu_weight",
    "vcpus",
)

CHANGE = Change(
    version="2.102",
    summary="Flavors are filtered by name; unknown query keys are refused everywhere.",
    features=("flavor_filter_by_name",),
    closes_query=(
        "aggregates.index",
        "aggregates.show",
        "attach_interfaces.index",
        "attach_interfaces.show",
        "availability_zone.detail",
        "availability_zone.index",
        "extension_info.index",
        "extension_info.show",
        "flavor_access.index",
        "flavors.show",
        "flavors_extraspecs.index",
        "flavors_extraspecs.show",
        "instance_actions.show",
        "instance_usage_audit_log.index",
        "instance_usage_audit_log.show",
        "ips.index",
        "ips.show",
        "quota_classes.show",
        "security_groups.server.index",
        "server_diagnostics.index",
        "server_groups.show",
        "server_metadata.index",
        "server_metadata.show",
        "server_migrations.index",
        "server_migrations.show",
        "server_password.index",
        "server_topology.index",
        "servers.show",
    ),
    adds_query={"flavors.detail": ("name",), "flavors.index": ("name",)},
    drops_request={
        "flavors.create": {
            "flavor.rxtx_factor": Was(
                {
                    "exclusiveMinimum": 0,
                    "maximum": 3.40282e38,
                    "pattern": "^[0-9]+(\\.[0-9]+)?$",
                    "type": ["number", "string"],
                }
            )
        }
    },
    alters_query={
        "flavors.detail": {"sort_key[]": Was(SORT_KEYS)},
        "flavors.index": {"sort_key[]": Was(SORT_KEYS)},
    },
    drops_response=at(FLAVORS, "rxtx_factor", "OS-FLV-DISABLED:disabled"),
)
