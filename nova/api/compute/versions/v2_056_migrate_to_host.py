"""2.56: cold migration may name the host."""

from __future__ import annotations

from nova.api.compute.versions.base import Change, Json


def anywhere(body: Json) -> Json:  # noqa: ARG001
    """Whatever was sent meant nothing."""
    return {"migrate": None}


CHANGE = Change(
    version="2.56",
    summary="Cold migration may name the host.",
    adds_request={"migrate_server.migrate": ("",)},
    lift={"migrate_server.migrate": anywhere},
)
