"""2.96: servers show the zone they are pinned to."""

from __future__ import annotations

from nova.api.compute.versions.base import Change
from nova.api.compute.versions.places import SERVERS, at

CHANGE = Change(
    version="2.96",
    summary="Servers show the zone they are pinned to.",
    adds_response=at(SERVERS, "pinned_availability_zone"),
)
