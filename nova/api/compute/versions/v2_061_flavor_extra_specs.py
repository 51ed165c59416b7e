"""2.61: flavors show their extra specs."""

from __future__ import annotations

from nova.api.compute.versions.base import Change
from nova.api.compute.versions.places import FLAVORS, at

CHANGE = Change(
    version="2.61",
    summary="Flavors show their extra specs.",
    adds_response=at(FLAVORS, "extra_specs"),
)
