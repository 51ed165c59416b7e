"""2.42: tags of networks and block devices are accepted again."""

from __future__ import annotations

from nova.api.compute.versions.base import Change, Was
from nova.api.wsgi.schema_parts import UUID, closed, many, one_of_words

CHANGE = Change(
    version="2.42",
    summary="Tags of networks and block devices are accepted again.",
    adds_request={"servers.create": ("server.block_device_mapping_v2[].tag",)},
    alters_request={
        "servers.create": {
            "server.networks": Was(
                {
                    "oneOf": [
                        many(
                            closed(
                                {
                                    "fixed_ip": {
                                        "oneOf": [{"format": "ipv4"}, {"format": "ipv6"}],
                                        "type": "string",
                                    },
                                    "port": {"format": "uuid", "type": ["string", "null"]},
                                    "uuid": UUID,
                                }
                            )
                        ),
                        one_of_words("auto", "none"),
                    ]
                },
                required=True,
            )
        }
    },
)
