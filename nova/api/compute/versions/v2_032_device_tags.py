"""2.32: networks and block devices of a new server may have a tag."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.32",
    summary="Networks and block devices of a new server may have a tag.",
    adds_request={
        "servers.create": (
            "server.block_device_mapping_v2[].tag",
            "server.networks[].tag",
        )
    },
)
