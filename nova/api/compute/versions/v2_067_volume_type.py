"""2.67: a volume made for a new server may have a type."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.67",
    summary="A volume made for a new server may have a type.",
    adds_request={"servers.create": ("server.block_device_mapping_v2[].volume_type",)},
)
