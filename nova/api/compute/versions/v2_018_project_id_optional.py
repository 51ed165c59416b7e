"""2.18: the project id in the path may be left out."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.18",
    summary="The project id in the path may be left out.",
)
