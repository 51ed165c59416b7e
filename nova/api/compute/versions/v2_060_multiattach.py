"""2.60: one volume may be attached to several servers."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.60",
    summary="One volume may be attached to several servers.",
    features=("multiattach",),
)
