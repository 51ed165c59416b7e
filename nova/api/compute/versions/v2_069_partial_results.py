"""2.69: what a part of the cloud that does not answer knows is shown in minimal rows."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.69",
    summary="What a part of the cloud that does not answer knows is shown in minimal rows.",
    features=("partial_results",),
    adds_response={"servers.index": ("servers[].status",)},
)
