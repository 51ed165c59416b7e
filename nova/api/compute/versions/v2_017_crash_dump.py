"""2.17: a crash dump can be triggered in a server."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.17",
    summary="A crash dump can be triggered in a server.",
    adds_operations=("servers.trigger_crash_dump", "volumes_boot.trigger_crash_dump"),
)
