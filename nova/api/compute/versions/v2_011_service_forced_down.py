"""2.11: a service can be forced down, and shows it."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.11",
    summary="A service can be forced down, and shows it.",
    features=("service_forced_down",),
    adds_request={"services.update": ("forced_down",)},
    adds_response={"services.index": ("services[].forced_down",)},
)
