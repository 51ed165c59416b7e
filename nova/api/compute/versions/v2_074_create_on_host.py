"""2.74: administrators may name host or hypervisor of a new server."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.74",
    summary="Administrators may name host or hypervisor of a new server.",
    adds_request={
        "servers.create": (
            "server.host",
            "server.hypervisor_hostname",
        )
    },
)
