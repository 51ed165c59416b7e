"""2.81: images can be fetched into the caches of an aggregate's hosts."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.81",
    summary="Images can be fetched into the caches of an aggregate's hosts.",
    adds_operations=("aggregates.images",),
)
