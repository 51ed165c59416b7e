"""Which disks a guest has, under which names: pure."""

from __future__ import annotations

from nova.errors.virt import NotCapable
from nova.objects.base import Value
from nova.objects.block_device import BlockDevice, Destination, Source
from nova.objects.guest import GuestSpec
from nova.virt.libvirt.plan import Platform, cdrom_bus, machine_of

GIB, MIB = 1 << 30, 1 << 20
_PREFIX = {"virtio": "vd", "scsi": "sd", "sata": "sd", "usb": "sd", "ide": "hd"}
_LAST_LETTER = {"ide": "d"}


class DiskWish(Value, frozen=True, kw_only=True):
    """A disk to be made."""

    file: str
    device: BlockDevice | None
    """None: the config drive."""
    target: str
    bus: str
    kind: str
    """``disk`` or ``cdrom``."""
    boot_order: int | None = None
    size_bytes: int = 0


def disks(
    spec: GuestSpec, platform: Platform, default_bus: str, *, config_drive: bool
) -> tuple[DiskWish, ...]:
    """Return a guest's disks in order: root, ephemeral, swap, config drive.

    Raises ``NotCapable`` for volumes.
    """
    names = _Names(_wished_bus(spec, default_bus))
    cdroms = cdrom_bus(machine_of(spec.image, platform))
    wishes = []
    ephemerals = 0
    for device in sorted(spec.block_devices, key=_order):
        if device.destination is not Destination.LOCAL or device.source in (Source.VOLUME, Source.SNAPSHOT):
            raise NotCapable(capability="attach_volume")
        if device.is_root:
            file = "disk"
        elif device.is_swap:
            file = "disk.swap"
        else:
            file, ephemerals = f"disk.eph{ephemerals}", ephemerals + 1
        wishes.append(_wish(spec, device, file, names, cdroms))
    if config_drive:
        target = names.last(cdroms)
        wishes.append(DiskWish(file="disk.config", device=None, target=target, bus=cdroms, kind="cdrom"))
    return tuple(wishes)


def _order(device: BlockDevice) -> tuple[int, str]:
    return (0 if device.is_root else 2 if device.is_swap else 1, device.device_name or "")


def _wished_bus(spec: GuestSpec, default: str) -> str:
    wished = (spec.image.properties.get("hw_disk_bus") if spec.image else None) or default
    return wished if wished in _PREFIX else default


def _wish(spec: GuestSpec, device: BlockDevice, file: str, names: _Names, cdroms: str) -> DiskWish:
    iso = device.is_root and spec.image is not None and spec.image.disk_format == "iso"
    kind = "cdrom" if iso or device.device_type == "cdrom" else "disk"
    bus = cdroms if kind == "cdrom" else names.bus
    if device.disk_bus in _PREFIX:
        bus = device.disk_bus
    size = device.size_mb * MIB if device.is_swap and device.size_mb else device.size_gb * GIB
    return DiskWish(
        file=file,
        device=device,
        target=names.next(bus),
        bus=bus,
        kind=kind,
        boot_order=device.boot_index + 1
        if device.boot_index is not None and device.boot_index >= 0
        else None,
        size_bytes=size,
    )


class _Names:
    """Hands out device names of each bus, none twice."""

    def __init__(self, bus: str) -> None:
        self.bus = bus
        self._taken: set[str] = set()

    def next(self, bus: str) -> str:
        for letter in "abcdefghijklmnopqrstuvwxyz":
            name = _PREFIX[bus] + letter
            if name not in self._taken:
                self._taken.add(name)
                return name
        raise NotCapable(capability=f"more than 26 disks on {bus}")

    def last(self, bus: str) -> str:
        name = _PREFIX[bus] + _LAST_LETTER.get(bus, "z")
        self._taken.add(name)
        return name
