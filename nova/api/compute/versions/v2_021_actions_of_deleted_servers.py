"""2.21: the actions of deleted servers can be read."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.21",
    summary="The actions of deleted servers can be read.",
    features=("actions_of_deleted_servers",),
)
