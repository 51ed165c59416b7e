"""2.2: key pairs have a type, ssh or x509; creation answers 201 and deletion 204."""

from __future__ import annotations

from nova.api.compute.versions.base import Change, Json


def as_ssh(body: Json) -> Json:
    """Keys had no type: they were for ssh."""
    return {**body, "keypair": {"type": "ssh", **body["keypair"]}}


CHANGE = Change(
    version="2.2",
    summary="Key pairs have a type, ssh or x509; creation answers 201 and deletion 204.",
    adds_request={"keypairs.create": ("keypair.type",)},
    adds_response={
        "keypairs.index": ("keypairs[].keypair.type",),
        "keypairs.create": ("keypair.type",),
        "keypairs.show": ("keypair.type",),
    },
    success={"keypairs.create": 200, "keypairs.delete": 202},
    lift={"keypairs.create": as_ssh},
)
