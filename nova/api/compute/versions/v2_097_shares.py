"""2.97: shared file systems can be attached to servers."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.97",
    summary="Shared file systems can be attached to servers.",
    adds_operations=(
        "server_shares.create",
        "server_shares.delete",
        "server_shares.index",
        "server_shares.show",
    ),
)
