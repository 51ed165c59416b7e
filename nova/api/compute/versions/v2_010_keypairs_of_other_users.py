"""2.10: administrators work with the key pairs of other users."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.10",
    summary="Administrators work with the key pairs of other users.",
    adds_request={"keypairs.create": ("keypair.user_id",)},
    adds_query={
        "keypairs.delete": ("user_id",),
        "keypairs.index": ("user_id",),
        "keypairs.show": ("user_id",),
    },
)
