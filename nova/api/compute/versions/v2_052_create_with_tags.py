"""2.52: a new server may have tags at once."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.52",
    summary="A new server may have tags at once.",
    adds_request={"servers.create": ("server.tags",)},
)
