"""2.92: key pairs are only imported, never made; their names may hold more characters."""

from __future__ import annotations

from nova.api.compute.versions.base import Change, Was
from nova.api.wsgi.schema_parts import NAME, STRING

CHANGE = Change(
    version="2.92",
    summary="Key pairs are only imported, never made; their names may hold more characters.",
    features=("keypairs_import_only",),
    alters_request={
        "keypairs.create": {
            "keypair.name": Was(
                {
                    "allOf": [
                        NAME,
                        {
                            "maxLength": 255,
                            "minLength": 1,
                            "pattern": "^[_\\- a-zA-Z0-9]+$",
                            "type": "string",
                        },
                    ]
                },
                required=True,
            ),
            "keypair.public_key": Was(STRING),
        }
    },
    drops_response={"keypairs.create": ("keypair.private_key",)},
)
