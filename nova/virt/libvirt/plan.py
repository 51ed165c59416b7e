"""A domain with everything decided: what the pure builders of ``domain/`` are given."""

from __future__ import annotations

import datetime
import re
from pathlib import Path

from nova.objects.base import Value
from nova.objects.guest import GuestSpec
from nova.objects.image import Image

_MACHINE = re.compile(r"[A-Za-z0-9._-]{1,64}")


class LocalDisk(Value, frozen=True, kw_only=True):
    """A disk file of a guest; written down when it is made, so that its format is never guessed."""

    file: str
    """Name inside the guest's directory."""
    format: str
    """``qcow2`` or ``raw``."""
    virtual_bytes: int
    target: str
    """Name in the guest as libvirt is told: ``vda``, ``hdd``, ..."""
    bus: str
    device: str = "disk"
    boot_order: int | None = None
    serial: str | None = None
    readonly: bool = False


class Platform(Value, frozen=True, kw_only=True):
    """What this host's hypervisor makes of guests; found out once at start."""

    virt_type: str
    """``kvm`` or ``qemu``."""
    arch: str = "x86_64"
    machine: str = "pc"
    emulator: str = "/usr/bin/qemu-system-x86_64"
    cache: str = "none"
    """Cache mode of local disks."""


class Look(Value, frozen=True, kw_only=True):
    """The options that shape a domain."""

    cpu_mode: str = ""
    cpu_model: str = "qemu64"
    vif_model: str = "virtio"
    video_model: str = "vga"
    pointer_model: str = "usbtablet"
    rng_dev_path: str = "/dev/urandom"
    mem_stats_period: int = 10
    tb_cache_mb: int = 32
    vnc_listen: str | None = "127.0.0.1"
    """None: no screen."""


class DomainPlan(Value, frozen=True, kw_only=True):
    """One domain."""

    spec: GuestSpec
    platform: Platform
    look: Look
    directory: Path
    disks: tuple[LocalDisk, ...] = ()
    kernel: bool = False
    """The files ``kernel`` and ``ramdisk`` lie in the directory."""
    ramdisk: bool = False
    created_at: datetime.datetime
    package_version: str = ""

    def image_property(self, name: str, default: str) -> str:
        """Return a property of the image, or the default where it has none."""
        return (self.spec.image.properties.get(name) if self.spec.image else None) or default


def machine_of(image: Image | None, platform: Platform) -> str:
    """Return a guest's machine type: the image's wish, else the host's default."""
    wished = image.properties.get("hw_machine_type", "") if image is not None else ""
    return wished if _MACHINE.fullmatch(wished) else platform.machine


def cdrom_bus(machine: str) -> str:
    """Return the bus on which every guest of that machine type finds a CD-ROM."""
    if machine.startswith("virt"):
        return "scsi"
    return "sata" if "q35" in machine else "ide"


def domain_name(instance_id: str) -> str:
    """Return the name of an instance's domain; it is also the start of its log's name."""
    return f"instance-{instance_id}"
