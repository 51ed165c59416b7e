"""Block devices of an instance: what disks a guest has and where they come from."""

from __future__ import annotations

import enum

from nova.objects.base import Value
from nova.objects.ids import ImageId, VolumeId


class Source(enum.StrEnum):
    """Where the content of a disk comes from."""

    IMAGE = "image"
    BLANK = "blank"
    VOLUME = "volume"
    SNAPSHOT = "snapshot"


class Destination(enum.StrEnum):
    """Where a disk lives."""

    LOCAL = "local"
    VOLUME = "volume"


class BlockDevice(Value, frozen=True, kw_only=True):
    """One disk of an instance (the API's block_device_mapping_v2, decided)."""

    id: str
    source: Source
    destination: Destination = Destination.LOCAL
    boot_index: int | None = None
    """0 is the root disk; none or below 0 never boots."""
    size_gb: int = 0
    """For swap see ``size_mb``."""
    size_mb: int = 0
    guest_format: str | None = None
    """``swap`` for swap disks; ``ext4``, ``vfat``, ... for ephemeral ones; none = plain."""
    device_name: str | None = None
    disk_bus: str | None = None
    device_type: str = "disk"
    """``disk``, ``cdrom``, ``floppy`` or ``lun``."""
    image_id: ImageId | None = None
    volume_id: VolumeId | None = None
    snapshot_id: str | None = None
    volume_type: str | None = None
    delete_on_termination: bool = True
    tag: str | None = None

    @property
    def is_root(self) -> bool:
        return self.boot_index == 0

    @property
    def is_swap(self) -> bool:
        return self.source is Source.BLANK and self.guest_format == "swap"
