"""2.3: servers show boot details to those allowed; attached volumes say if they die with the server."""

from __future__ import annotations

from nova.api.compute.versions.base import Change
from nova.api.compute.versions.places import SERVER_READS, at

CHANGE = Change(
    version="2.3",
    summary="Servers show boot details to those allowed; attached volumes say if they die with the server.",
    adds_response=at(
        SERVER_READS,
        "os-extended-volumes:volumes_attached[].delete_on_termination",
        "OS-EXT-SRV-ATTR:hostname",
        "OS-EXT-SRV-ATTR:kernel_id",
        "OS-EXT-SRV-ATTR:launch_index",
        "OS-EXT-SRV-ATTR:ramdisk_id",
        "OS-EXT-SRV-ATTR:reservation_id",
        "OS-EXT-SRV-ATTR:root_device_name",
        "OS-EXT-SRV-ATTR:user_data",
    ),
)
