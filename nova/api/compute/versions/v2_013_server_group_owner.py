"""2.13: server groups show project and user."""

from __future__ import annotations

from nova.api.compute.versions.base import Change
from nova.api.compute.versions.places import SERVER_GROUPS, at

CHANGE = Change(
    version="2.13",
    summary="Server groups show project and user.",
    adds_response=at(SERVER_GROUPS, "project_id", "user_id"),
)
