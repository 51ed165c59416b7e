"""2.20: volumes can be attached to and detached from shelved servers."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.20",
    summary="Volumes can be attached to and detached from shelved servers.",
    features=("attach_to_shelved",),
)
