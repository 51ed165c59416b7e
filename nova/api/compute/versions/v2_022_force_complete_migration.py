"""2.22: a running live migration can be forced to complete."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.22",
    summary="A running live migration can be forced to complete.",
    adds_operations=("server_migrations.force_complete",),
)
