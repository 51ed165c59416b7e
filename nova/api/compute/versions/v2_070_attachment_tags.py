"""2.70: attached volumes and interfaces show their tag."""

from __future__ import annotations

from nova.api.compute.versions.base import Change
from nova.api.compute.versions.places import ATTACHMENTS, INTERFACES, at, join

CHANGE = Change(
    version="2.70",
    summary="Attached volumes and interfaces show their tag.",
    adds_response=join(at(ATTACHMENTS, "tag"), at(INTERFACES, "tag")),
)
