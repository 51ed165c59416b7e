"""2.36: the proxies to image, network and volume services end, with their quotas and limits."""

from __future__ import annotations

from nova.api.compute.versions.base import Change, Was
from nova.api.compute.versions.places import QUOTA_SETS, at, join
from nova.api.wsgi.schema_parts import QUOTA_LIMIT

CHANGE = Change(
    version="2.36",
    summary="The proxies to image, network and volume services end, with their quotas and limits.",
    features=("proxies_ended",),
    ends_operations=(
        "baremetal_nodes.add_interface",
        "baremetal_nodes.create",
        "baremetal_nodes.delete",
        "baremetal_nodes.index",
        "baremetal_nodes.remove_interface",
        "baremetal_nodes.show",
        "floating_ip_pools.index",
        "floating_ips.create",
        "floating_ips.delete",
        "floating_ips.index",
        "floating_ips.show",
        "images.delete",
        "images.detail",
        "images.index",
        "images.show",
        "networks.index",
        "networks.show",
        "security_groups.create",
        "security_groups.delete",
        "security_groups.index",
        "security_groups.rule.create",
        "security_groups.rule.delete",
        "security_groups.show",
        "security_groups.update",
        "snapshots.create",
        "snapshots.delete",
        "snapshots.detail",
        "snapshots.index",
        "snapshots.show",
        "tenant_networks.index",
        "tenant_networks.show",
        "volumes.create",
        "volumes.delete",
        "volumes.detail",
        "volumes.index",
        "volumes.show",
    ),
    drops_request={
        "quota_sets.update": {
            "quota_set.fixed_ips": Was(QUOTA_LIMIT),
            "quota_set.floating_ips": Was(QUOTA_LIMIT),
            "quota_set.security_group_rules": Was(QUOTA_LIMIT),
            "quota_set.security_groups": Was(QUOTA_LIMIT),
        }
    },
    drops_response=join(
        at(QUOTA_SETS, "fixed_ips", "floating_ips", "security_groups", "security_group_rules"),
        {
            "limits.index": (
                "limits.absolute.maxSecurityGroups",
                "limits.absolute.maxSecurityGroupRules",
                "limits.absolute.maxTotalFloatingIps",
                "limits.absolute.totalFloatingIpsUsed",
                "limits.absolute.totalSecurityGroupsUsed",
            )
        },
    ),
)
