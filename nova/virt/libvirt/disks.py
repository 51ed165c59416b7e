"""Making all disks of a guest, from the cached images to the list that is written down."""

from __future__ import annotations

from pathlib import Path

from nova.conf.libvirt import LibvirtConf
from nova.errors.virt import BuildFailed
from nova.objects.guest import GuestSpec
from nova.objects.ids import ImageId
from nova.privsep import files
from nova.virt.base import Material
from nova.virt.disk import inspect
from nova.virt.libvirt.images import blank
from nova.virt.libvirt.images.qemu_img import QemuImg
from nova.virt.libvirt.images.root import Made, Source, make_root
from nova.virt.libvirt.layout import GIB, DiskWish, disks
from nova.virt.libvirt.plan import LocalDisk, Platform
from nova.virt.libvirt.store import KERNEL, RAMDISK, Store

_MAX_BOOT_FILE = 512 << 20


class DiskMaker:
    """Makes disks in the store."""

    def __init__(self, conf: LibvirtConf, host: str, store: Store, platform: Platform) -> None:
        self._conf = conf
        self._host = host
        self._store = store
        self._platform = platform
        self._program = QemuImg(host=host, copy_timeout=conf.copy_timeout)

    def make(self, spec: GuestSpec, material: Material) -> tuple[LocalDisk, ...]:
        """Make every disk and write the list down; files of an earlier, broken try are replaced."""
        drive = material.config_drive
        wishes = disks(spec, self._platform, self._conf.disk_bus, config_drive=drive is not None)
        self._store.remove(spec.id)
        directory = self._store.create(spec.id)
        made = []
        for wish in wishes:
            path = directory / wish.file
            if wish.device is None and drive is not None:
                files.move(drive, path)
                done = Made(format="raw", virtual_bytes=path.stat().st_size)
            else:
                done = self._make_one(spec, wish, path, material)
            made.append(_described(wish, done))
        self._boot_files(spec, material, directory)
        self._store.write_disks(spec.id, tuple(made))
        return tuple(made)

    def _make_one(self, spec: GuestSpec, wish: DiskWish, path: Path, material: Material) -> Made:
        device = wish.device
        assert device is not None
        image_id = device.image_id or (spec.image.id if spec.image and device.is_root else None)
        if image_id is not None:
            return self._from_image(spec, image_id, wish, path, material)
        size = wish.size_bytes or (spec.flavor.root_gb * GIB if device.is_root else 0)
        if not size:
            raise BuildFailed(host=self._host, reason=f"the disk {wish.target} has neither image nor size")
        if device.is_root:
            self._program.create(path, "qcow2", size)
            path.chmod(0o600)
            return Made(format="qcow2", virtual_bytes=size)
        if device.is_swap:
            blank.make_swap(path, size, host=self._host)
        else:
            system = device.guest_format or self._conf.default_ephemeral_format
            label = f"ephemeral{wish.file.removeprefix('disk.eph')}"
            blank.make_ephemeral(path, size, file_system=system, label=label, host=self._host)
        return Made(format="raw", virtual_bytes=size)

    def _from_image(
        self, spec: GuestSpec, image_id: ImageId, wish: DiskWish, path: Path, material: Material
    ) -> Made:
        cached = material.images.get(image_id)
        if cached is None:
            raise BuildFailed(host=self._host, reason=f"image {image_id} was not brought to the host")
        device = wish.device
        is_root = device is not None and device.is_root
        iso = spec.image is not None and spec.image.id == image_id and spec.image.disk_format == "iso"
        source = Source(
            path=cached, format="iso" if iso else material.formats.get(image_id, "raw"), image_id=image_id
        )
        size_gb = spec.flavor.root_gb if is_root else wish.size_bytes // GIB
        return make_root(self._program, source, path, size_gb=size_gb, images_type=self._conf.images_type)

    def _boot_files(self, spec: GuestSpec, material: Material, directory: Path) -> None:
        """Copy kernel and ramdisk of an image that comes in three parts (aki, ari, ami)."""
        properties = spec.image.properties if spec.image else {}
        for name, word, kind in ((KERNEL, "kernel_id", "aki"), (RAMDISK, "ramdisk_id", "ari")):
            image_id = properties.get(word)
            if not image_id:
                continue
            cached = material.images.get(ImageId(image_id))
            if cached is None:
                raise BuildFailed(host=self._host, reason=f"image {image_id} was not brought to the host")
            inspect.check(cached, kind, _MAX_BOOT_FILE, image=image_id)
            files.copy(cached, directory / name)


def _described(wish: DiskWish, done: Made) -> LocalDisk:
    return LocalDisk(
        file=wish.file,
        format=done.format,
        virtual_bytes=done.virtual_bytes,
        target=wish.target,
        bus=wish.bus,
        device=wish.kind,
        boot_order=wish.boot_order,
        serial=wish.device.id[:36] if wish.device is not None and wish.kind == "disk" else None,
        readonly=wish.kind == "cdrom",
    )
