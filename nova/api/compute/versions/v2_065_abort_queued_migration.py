"""2.65: live migrations that wait can be aborted too."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.65",
    summary="Live migrations that wait can be aborted too.",
    features=("abort_queued_migration",),
)
