"""2.59: migrations come in pages and have a uuid."""

from __future__ import annotations

from nova.api.compute.versions.base import Change
from nova.api.compute.versions.places import MIGRATIONS, at, join

CHANGE = Change(
    version="2.59",
    summary="Migrations come in pages and have a uuid.",
    features=("migrations_paged",),
    closes_query=("migrations.index",),
    adds_query={
        "migrations.index": (
            "changes-since",
            "limit",
            "marker",
        )
    },
    adds_response=join(at(MIGRATIONS, "uuid"), {"migrations.index": ("migrations_links",)}),
)
