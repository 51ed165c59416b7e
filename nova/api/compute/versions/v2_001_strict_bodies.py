"""2.1: the base: what /v2 did, with strict checks of names and unknown body keys refused."""

from __future__ import annotations

from nova.api.compute.versions.base import Change, Was
from nova.api.wsgi.schema_parts import LOOSE_NAME, NULL

CHANGE = Change(
    version="2.1",
    summary="The base: what /v2 did, with strict checks of names and unknown body keys refused.",
    alters_request={
        "aggregates.create": {
            "aggregate.availability_zone": Was(
                {
                    "oneOf": [
                        {
                            "format": "az_name_with_leading_trailing_spaces",
                            "maxLength": 255,
                            "minLength": 1,
                            "type": "string",
                        },
                        NULL,
                    ]
                }
            ),
            "aggregate.name": Was(LOOSE_NAME, required=True),
        },
        "aggregates.update": {
            "aggregate.availability_zone": Was(
                {
                    "oneOf": [
                        {
                            "format": "az_name_with_leading_trailing_spaces",
                            "maxLength": 255,
                            "minLength": 1,
                            "type": "string",
                        },
                        NULL,
                    ]
                }
            )
        },
        "create_backup.createBackup": {"createBackup.name": Was(LOOSE_NAME, required=True)},
        "flavors.create": {"flavor.name": Was(LOOSE_NAME, required=True)},
        "keypairs.create": {"keypair.name": Was(LOOSE_NAME, required=True)},
        "servers.create": {
            "server.availability_zone": Was(LOOSE_NAME),
            "server.key_name": Was(LOOSE_NAME),
            "server.name": Was(LOOSE_NAME, required=True),
            "server.security_groups[].name": Was(LOOSE_NAME),
            "server.user_data": Was({"format": "base64", "maxLength": 65535, "type": ["string", "null"]}),
        },
        "servers.rebuild": {"rebuild.name": Was(LOOSE_NAME)},
        "servers.update": {"server.name": Was(LOOSE_NAME)},
    },
)
