"""2.83: everybody may filter servers by many more columns."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.83",
    summary="Everybody may filter servers by many more columns.",
    features=("wide_filters",),
)
