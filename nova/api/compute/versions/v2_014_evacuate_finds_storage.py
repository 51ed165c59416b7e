"""2.14: evacuation finds out about shared storage itself and returns no password."""

from __future__ import annotations

from nova.api.compute.versions.base import Change, Json, Was
from nova.api.wsgi.schema_parts import BOOLEAN


def finds_out(body: Json) -> Json:
    """Forget what the caller said about shared storage."""
    inner = {key: value for key, value in body["evacuate"].items() if key != "onSharedStorage"}
    return {**body, "evacuate": inner}


CHANGE = Change(
    version="2.14",
    summary="Evacuation finds out about shared storage itself and returns no password.",
    features=("evacuate_finds_storage",),
    drops_request={"evacuate.evacuate": {"evacuate.onSharedStorage": Was(BOOLEAN, required=True)}},
    drops_response={"evacuate.evacuate": ("adminPass",)},
    lift={"evacuate.evacuate": finds_out},
)
