"""2.24: a running live migration can be aborted."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.24",
    summary="A running live migration can be aborted.",
    adds_operations=("server_migrations.delete",),
)
