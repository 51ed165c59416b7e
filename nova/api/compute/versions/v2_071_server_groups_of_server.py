"""2.71: a server shows the groups it is in."""

from __future__ import annotations

from nova.api.compute.versions.base import Change
from nova.api.compute.versions.places import ONE_SERVER, at

CHANGE = Change(
    version="2.71",
    summary="A server shows the groups it is in.",
    adds_response=at(ONE_SERVER, "server_groups"),
)
