"""2.100: servers show their scheduler hints."""

from __future__ import annotations

from nova.api.compute.versions.base import Change
from nova.api.compute.versions.places import SERVERS, at

CHANGE = Change(
    version="2.100",
    summary="Servers show their scheduler hints.",
    adds_response=at(SERVERS, "scheduler_hints"),
)
