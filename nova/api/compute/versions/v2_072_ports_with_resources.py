"""2.72: servers may be created with ports that ask for bandwidth."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.72",
    summary="Servers may be created with ports that ask for bandwidth.",
    features=("ports_with_resources",),
)
