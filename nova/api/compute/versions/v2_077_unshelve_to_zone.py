"""2.77: unshelving may name a zone."""

from __future__ import annotations

from nova.api.compute.versions.base import Change, Json, Was


def anywhere(body: Json) -> Json:  # noqa: ARG001
    """Whatever was sent meant nothing."""
    return {"unshelve": None}


CHANGE = Change(
    version="2.77",
    summary="Unshelving may name a zone.",
    alters_request={"shelve.unshelve": {"unshelve": Was({}, required=True)}},
    lift={"shelve.unshelve": anywhere},
)
