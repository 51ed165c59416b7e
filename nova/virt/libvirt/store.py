"""The directory of each guest: its disks, its log, and what we wrote down about it.

<instances_path>/<uuid>/disk, disk.eph0, disk.swap, disk.config, kernel, ramdisk, base
                        disks.json     the disks with their formats, written once
                        filter.json    interfaces and packet rules in force
                        console.log    what the serial port said
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from nova.objects.ids import InstanceId
from nova.objects.network import GuestFilter
from nova.privsep import files
from nova.virt.libvirt.plan import LocalDisk

CONSOLE_LOG = "console.log"
CONSOLE_LOG_BEFORE = "console.log.1"
KERNEL, RAMDISK, BASE = "kernel", "ramdisk", "base"
_DISKS = "disks.json"
_FILTER = "filter.json"
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Store:
    """All guests' directories below one path."""

    def __init__(self, instances_path: Path) -> None:
        self.instances_path = instances_path

    def open(self) -> None:
        """Create the common directory; remove what a crash left half removed."""
        files.make_private_directory(self.instances_path)
        for entry in self.instances_path.iterdir():
            if entry.name.endswith("_del") and _UUID.fullmatch(entry.name.removesuffix("_del")):
                files.remove_tree(entry)

    def directory(self, instance_id: InstanceId) -> Path:
        """Return a guest's directory; raises ``ValueError`` for what is no uuid (it becomes a path)."""
        if not _UUID.fullmatch(instance_id):
            raise ValueError(f"not an instance id: {instance_id!r}")
        return self.instances_path / instance_id

    def instances(self) -> Iterator[InstanceId]:
        """Return the instances that have a directory."""
        for entry in os.scandir(self.instances_path):
            if _UUID.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False):
                yield InstanceId(entry.name)

    def create(self, instance_id: InstanceId) -> Path:
        """Make an empty directory for a guest."""
        path = self.directory(instance_id)
        files.make_private_directory(path)
        return path

    def remove(self, instance_id: InstanceId) -> None:
        """Remove all that a guest has here; nothing there is fine."""
        files.remove_tree(self.directory(instance_id))

    def write_disks(self, instance_id: InstanceId, disks: tuple[LocalDisk, ...]) -> None:
        """Write down the disks, when all of them are whole."""
        files.write_whole(self.directory(instance_id) / _DISKS, msgspec.json.encode(disks))

    def disks(self, instance_id: InstanceId) -> tuple[LocalDisk, ...] | None:
        """Return the disks that were made; None when the making did not come to its end."""
        data = _read(self.directory(instance_id) / _DISKS)
        return msgspec.json.decode(data, type=tuple[LocalDisk, ...]) if data is not None else None

    def write_filter(self, guarded: GuestFilter) -> None:
        """Write down what guards a guest's interfaces."""
        files.write_whole(self.directory(guarded.instance_id) / _FILTER, msgspec.json.encode(guarded))

    def filters(self) -> dict[InstanceId, GuestFilter]:
        """Return what was written down for every guest."""
        found = {}
        for instance_id in self.instances():
            data = _read(self.directory(instance_id) / _FILTER)
            if data is not None:
                found[instance_id] = msgspec.json.decode(data, type=GuestFilter)
        return found


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
