"""2.4: a fixed address shows whether it is reserved."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.4",
    summary="A fixed address shows whether it is reserved.",
)
