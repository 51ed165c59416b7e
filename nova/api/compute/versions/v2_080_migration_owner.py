"""2.80: migrations show user and project and are filtered by them."""

from __future__ import annotations

from nova.api.compute.versions.base import Change
from nova.api.compute.versions.places import MIGRATIONS, at

CHANGE = Change(
    version="2.80",
    summary="Migrations show user and project and are filtered by them.",
    adds_query={
        "migrations.index": (
            "project_id",
            "user_id",
        )
    },
    adds_response=at(MIGRATIONS, "project_id", "user_id"),
)
