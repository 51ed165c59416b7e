"""2.27: the header OpenStack-API-Version is understood and returned."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.27",
    summary="The header OpenStack-API-Version is understood and returned.",
)
