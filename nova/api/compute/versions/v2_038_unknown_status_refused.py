"""2.38: filtering by an unknown status is refused."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.38",
    summary="Filtering by an unknown status is refused.",
    features=("unknown_status_refused",),
)
