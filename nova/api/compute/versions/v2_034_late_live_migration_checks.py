"""2.34: a live migration that cannot work fails later, not in the request."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.34",
    summary="A live migration that cannot work fails later, not in the request.",
    features=("late_live_migration_checks",),
)
