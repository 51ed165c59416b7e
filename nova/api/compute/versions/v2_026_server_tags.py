"""2.26: servers have tags and are filtered by them."""

from __future__ import annotations

from nova.api.compute.versions.base import Change
from nova.api.compute.versions.places import SERVERS, at

CHANGE = Change(
    version="2.26",
    summary="Servers have tags and are filtered by them.",
    adds_operations=(
        "server_tags.delete",
        "server_tags.delete_all",
        "server_tags.index",
        "server_tags.show",
        "server_tags.update",
        "server_tags.update_all",
    ),
    adds_query={
        "servers.detail": (
            "not-tags",
            "not-tags-any",
            "tags",
            "tags-any",
        ),
        "servers.index": (
            "not-tags",
            "not-tags-any",
            "tags",
            "tags-any",
        ),
    },
    adds_response=at(SERVERS, "tags"),
)
