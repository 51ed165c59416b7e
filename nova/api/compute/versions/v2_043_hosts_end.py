"""2.43: the hosts resource ends."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.43",
    summary="The hosts resource ends.",
    ends_operations=(
        "hosts.index",
        "hosts.reboot",
        "hosts.show",
        "hosts.shutdown",
        "hosts.startup",
        "hosts.update",
    ),
)
