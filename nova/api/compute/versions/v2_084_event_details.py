"""2.84: events of an action show details."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.84",
    summary="Events of an action show details.",
    adds_response={"instance_actions.show": ("instanceAction.events[].details",)},
)
