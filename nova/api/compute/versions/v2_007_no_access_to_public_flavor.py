"""2.7: granting access to a public flavor is refused."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.7",
    summary="Granting access to a public flavor is refused.",
    features=("public_flavor_access_refused",),
)
