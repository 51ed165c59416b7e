"""2.30: live migration to a named host is checked by the scheduler unless forced."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.30",
    summary="Live migration to a named host is checked by the scheduler unless forced.",
    features=("live_migration_checks_host",),
    adds_request={"migrate_server.os-migrateLive": ("os-migrateLive.force",)},
)
