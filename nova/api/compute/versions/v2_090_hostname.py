"""2.90: servers can be given a hostname, and show it to everybody."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.90",
    summary="Servers can be given a hostname, and show it to everybody.",
    features=("hostname_for_all",),
    adds_request={
        "servers.create": ("server.hostname",),
        "servers.rebuild": ("rebuild.hostname",),
        "servers.update": ("server.hostname",),
    },
)
