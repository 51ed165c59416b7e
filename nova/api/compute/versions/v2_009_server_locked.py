"""2.9: servers show whether they are locked."""

from __future__ import annotations

from nova.api.compute.versions.base import Change
from nova.api.compute.versions.places import SERVERS, at

CHANGE = Change(
    version="2.9",
    summary="Servers show whether they are locked.",
    adds_response=at(SERVERS, "locked"),
)
