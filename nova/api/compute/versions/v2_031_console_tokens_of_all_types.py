"""2.31: console tokens of every type can be looked up."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.31",
    summary="Console tokens of every type can be looked up.",
    features=("console_tokens_of_all_types",),
)
