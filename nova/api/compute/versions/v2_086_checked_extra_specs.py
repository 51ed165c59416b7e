"""2.86: extra specs of known namespaces are checked."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.86",
    summary="Extra specs of known namespaces are checked.",
    features=("checked_extra_specs",),
)
