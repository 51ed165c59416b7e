"""2.25: live migration chooses block migration itself; over-committing the disk is no choice any more."""

from __future__ import annotations

from nova.api.compute.versions.base import Change, Was
from nova.api.wsgi.schema_parts import BOOLEAN

CHANGE = Change(
    version="2.25",
    summary="Live migration chooses block migration itself; over-committing the disk is no choice any more.",
    features=("live_migration_auto_block",),
    drops_request={
        "migrate_server.os-migrateLive": {"os-migrateLive.disk_over_commit": Was(BOOLEAN, required=True)}
    },
    alters_request={
        "migrate_server.os-migrateLive": {"os-migrateLive.block_migration": Was(BOOLEAN, required=True)}
    },
)
