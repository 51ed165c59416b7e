"""2.54: rebuild may change the key pair."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.54",
    summary="Rebuild may change the key pair.",
    adds_request={"servers.rebuild": ("rebuild.key_name",)},
    adds_response={"servers.rebuild": ("server.key_name",)},
)
