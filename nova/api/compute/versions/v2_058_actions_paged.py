"""2.58: instance actions come in pages and show when they last changed."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.58",
    summary="Instance actions come in pages and show when they last changed.",
    features=("actions_paged",),
    closes_query=("instance_actions.index",),
    adds_query={
        "instance_actions.index": (
            "changes-since",
            "limit",
            "marker",
        )
    },
    adds_response={
        "instance_actions.index": (
            "instanceActions[].updated_at",
            "links",
        ),
        "instance_actions.show": ("instanceAction.updated_at",),
    },
)
