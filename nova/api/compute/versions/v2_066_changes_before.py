"""2.66: lists can be filtered by changes before a moment."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.66",
    summary="Lists can be filtered by changes before a moment.",
    adds_query={
        "instance_actions.index": ("changes-before",),
        "migrations.index": ("changes-before",),
        "servers.detail": ("changes-before",),
        "servers.index": ("changes-before",),
    },
)
