"""2.98: servers show the properties of their image."""

from __future__ import annotations

from nova.api.compute.versions.base import Change
from nova.api.compute.versions.places import SERVERS, at

CHANGE = Change(
    version="2.98",
    summary="Servers show the properties of their image.",
    adds_response=at(SERVERS, "image.properties"),
)
