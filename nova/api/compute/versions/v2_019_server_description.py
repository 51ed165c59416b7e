"""2.19: servers have a description of their own."""

from __future__ import annotations

from nova.api.compute.versions.base import Change, Json
from nova.api.compute.versions.places import SERVERS, at


def described_by_name(body: Json) -> Json:
    """A server without a description was described by its name."""
    server = body["server"]
    return {**body, "server": {**server, "description": server["name"]}}


CHANGE = Change(
    version="2.19",
    summary="Servers have a description of their own.",
    adds_request={
        "servers.create": ("server.description",),
        "servers.rebuild": ("rebuild.description",),
        "servers.update": ("server.description",),
    },
    adds_response=at(SERVERS, "description"),
    lift={"servers.create": described_by_name},
)
