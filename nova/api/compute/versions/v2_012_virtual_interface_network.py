"""2.12: virtual interfaces show their network."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.12",
    summary="Virtual interfaces show their network.",
)
