"""2.47: servers show what their flavor was, in place of a link to it."""

from __future__ import annotations

from nova.api.compute.versions.base import Change
from nova.api.compute.versions.places import SERVERS, at

CHANGE = Change(
    version="2.47",
    summary="Servers show what their flavor was, in place of a link to it.",
    adds_response=at(
        SERVERS,
        "flavor.disk",
        "flavor.ephemeral",
        "flavor.extra_specs",
        "flavor.original_name",
        "flavor.ram",
        "flavor.swap",
        "flavor.vcpus",
    ),
    drops_response=at(SERVERS, "flavor.id", "flavor.links"),
)
