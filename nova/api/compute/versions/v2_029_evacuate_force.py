"""2.29: evacuation to a named host is checked by the scheduler unless forced."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.29",
    summary="Evacuation to a named host is checked by the scheduler unless forced.",
    features=("evacuate_checks_host",),
    adds_request={"evacuate.evacuate": ("evacuate.force",)},
)
