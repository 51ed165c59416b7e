"""Images, as far as booting and snapshots need to know them."""

from __future__ import annotations

import datetime

from nova.objects.base import Value
from nova.objects.ids import ImageId

BOOT_FILES = {"kernel_id": "kernel", "ramdisk_id": "ramdisk"}
"""Properties that name the other parts of an image that comes in three (aki, ari, ami)."""


class Image(Value, frozen=True, kw_only=True):
    """An image of the store, at the moment it was looked up."""

    id: ImageId
    name: str = ""
    status: str = "active"
    """Glance's word: queued, saving, active, deactivated, killed, deleted, ..."""
    disk_format: str | None = None
    container_format: str | None = None
    size_bytes: int = 0
    virtual_size_bytes: int | None = None
    min_disk_gb: int = 0
    min_ram_mb: int = 0
    checksum: str | None = None
    hash_algo: str | None = None
    hash_value: str | None = None
    owner: str | None = None
    visibility: str = "private"
    protected: bool = False
    properties: dict[str, str] = {}
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None


class NewImage(Value, frozen=True, kw_only=True):
    """What is known of an image before its data is there (a snapshot)."""

    name: str
    properties: dict[str, str] = {}
    disk_format: str = "qcow2"
    container_format: str = "bare"
    min_disk_gb: int = 0
    min_ram_mb: int = 0
    visibility: str = "private"
