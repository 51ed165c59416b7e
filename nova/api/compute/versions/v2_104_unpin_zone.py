"""2.104: the pinned zone of a server can be changed."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.104",
    summary="The pinned zone of a server can be changed.",
    adds_request={"servers.update": ("server.pinned_availability_zone",)},
)
