"""2.41: aggregates show a uuid."""

from __future__ import annotations

from nova.api.compute.versions.base import Change
from nova.api.compute.versions.places import AGGREGATES, at

CHANGE = Change(
    version="2.41",
    summary="Aggregates show a uuid.",
    adds_response=at(AGGREGATES, "uuid"),
)
