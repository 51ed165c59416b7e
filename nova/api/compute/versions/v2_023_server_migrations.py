"""2.23: running live migrations of a server can be seen; migrations show type and links."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.23",
    summary="Running live migrations of a server can be seen; migrations show type and links.",
    features=("migration_links",),
    adds_operations=(
        "server_migrations.index",
        "server_migrations.show",
    ),
    adds_response={
        "migrations.index": (
            "migrations[].migration_type",
            "migrations[].links",
        )
    },
)
