"""2.44: the address actions of servers end."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.44",
    summary="The address actions of servers end.",
    ends_operations=(
        "floating_ips.addFloatingIp",
        "floating_ips.removeFloatingIp",
        "multinic.addFixedIp",
        "multinic.removeFixedIp",
    ),
)
