"""2.62: events of an action show the host."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.62",
    summary="Events of an action show the host.",
    adds_response={
        "instance_actions.show": (
            "instanceAction.events[].hostId",
            "instanceAction.events[].host",
        )
    },
)
