"""2.87: servers on volumes can be rescued."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.87",
    summary="Servers on volumes can be rescued.",
    features=("rescue_volume_backed",),
)
