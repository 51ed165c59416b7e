"""2.94: a hostname may be a full domain name."""

from __future__ import annotations

from nova.api.compute.versions.base import Change, Was

CHANGE = Change(
    version="2.94",
    summary="A hostname may be a full domain name.",
    alters_request={
        "servers.create": {
            "server.hostname": Was(
                {
                    "maxLength": 63,
                    "minLength": 2,
                    "pattern": "^[a-zA-Z0-9]+[a-zA-Z0-9-]*[a-zA-Z0-9]+$",
                    "type": "string",
                }
            )
        },
        "servers.rebuild": {
            "rebuild.hostname": Was(
                {
                    "maxLength": 63,
                    "minLength": 2,
                    "pattern": "^[a-zA-Z0-9]+[a-zA-Z0-9-]*[a-zA-Z0-9]+$",
                    "type": "string",
                }
            )
        },
        "servers.update": {
            "server.hostname": Was(
                {
                    "maxLength": 63,
                    "minLength": 2,
                    "pattern": "^[a-zA-Z0-9]+[a-zA-Z0-9-]*[a-zA-Z0-9]+$",
                    "type": "string",
                }
            )
        },
    },
)
