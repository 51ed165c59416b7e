"""2.95: evacuated servers end up stopped."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.95",
    summary="Evacuated servers end up stopped.",
    features=("evacuated_stopped",),
)
