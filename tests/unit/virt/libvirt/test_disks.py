"""Disks made by the real programs."""

from __future__ import annotations

import json
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from nova.conf.libvirt import LibvirtConf
from nova.errors.virt import ActionFailed, BuildFailed, ImageUnusable
from nova.objects.block_device import BlockDevice, Source
from nova.objects.flavor import Flavor
from nova.objects.ids import FlavorId, ImageId
from nova.objects.image import Image
from nova.virt.base import Material
from nova.virt.libvirt.disks import DiskMaker
from nova.virt.libvirt.images import blank
from nova.virt.libvirt.plan import Platform
from nova.virt.libvirt.store import Store
from tests.support.guests import IMAGE_ID, a_guest, an_id

MIB, GIB = 1 << 20, 1 << 30
BLANKS = (
    BlockDevice(id="e", source=Source.BLANK, size_gb=1, device_name="/dev/vdb"),
    BlockDevice(id="s", source=Source.BLANK, size_mb=64, guest_format="swap", device_name="/dev/vdc"),
)
FLAVOR = Flavor(id=FlavorId("1"), name="f", vcpus=1, ram_mb=64, root_gb=1)


def maker(tmp_path: Path, **conf: Any) -> tuple[DiskMaker, Store]:
    store = Store(tmp_path / "instances")
    store.open()
    return DiskMaker(LibvirtConf(**conf), "h", store, Platform(virt_type="qemu")), store


def cached(tmp_path: Path, disk_format: str = "raw", size: int = 8 * MIB) -> Path:
    path = tmp_path / "base"
    subprocess.run(["qemu-img", "create", "-q", "-f", disk_format, path, str(size)], check=True, timeout=60)
    subprocess.run(
        ["qemu-io", "-f", disk_format, "-c", "write -P 7 0 1M", path],
        check=True,
        timeout=60,
        capture_output=True,
    )
    return path


def info(path: Path, disk_format: str) -> dict[str, Any]:
    said = subprocess.run(
        ["qemu-img", "info", "-U", "-f", disk_format, "--output=json", path],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(said.stdout)
    return found


@pytest.mark.parametrize("disk_format", ["raw", "qcow2"])
def test_an_overlay_lives_longer_than_the_cache(tmp_path: Path, disk_format: str) -> None:
    base = cached(tmp_path, disk_format)
    made, store = maker(tmp_path)
    spec = a_guest(1, flavor=FLAVOR, block_devices=(*a_guest(1).block_devices, *BLANKS))
    drive = tmp_path / "drive.iso"
    drive.write_bytes(b"iso")
    disks = made.make(
        spec, Material(images={IMAGE_ID: base}, formats={IMAGE_ID: disk_format}, config_drive=drive)
    )
    assert [(d.file, d.format) for d in disks] == [
        ("disk", "qcow2"), ("disk.eph0", "raw"), ("disk.swap", "raw"), ("disk.config", "raw"),
    ]  # fmt: skip
    assert store.disks(spec.id) == disks and not drive.exists()
    base.unlink()
    directory = store.directory(spec.id)
    root = info(directory / "disk", "qcow2")
    assert root["virtual-size"] == GIB and root["backing-filename-format"] == disk_format
    subprocess.run(
        ["qemu-io", "-f", "qcow2", "-c", "read -P 7 0 1M", directory / "disk"],
        check=True,
        capture_output=True,
    )
    label = subprocess.run(
        ["blkid", "-o", "value", "-s", "LABEL", directory / "disk.eph0"], capture_output=True
    )
    assert label.stdout == b"ephemeral0\n"
    swap = subprocess.run(
        ["blkid", "-o", "value", "-s", "TYPE", directory / "disk.swap"], capture_output=True
    )
    assert swap.stdout == b"swap\n"
    for disk in disks:
        assert stat.S_IMODE((directory / disk.file).stat().st_mode) == 0o600


def test_raw_copies_have_no_backing_file(tmp_path: Path) -> None:
    made, store = maker(tmp_path, images_type="raw")
    material = Material(images={IMAGE_ID: cached(tmp_path, "qcow2")}, formats={IMAGE_ID: "qcow2"})
    (root,) = made.make(a_guest(1, flavor=FLAVOR), material)
    assert (root.format, root.virtual_bytes) == ("raw", GIB)
    assert (store.directory(an_id(1)) / "disk").stat().st_size == GIB
    assert not (store.directory(an_id(1)) / "base").exists()


def test_root_gb_zero_means_the_size_of_the_image(tmp_path: Path) -> None:
    made, _ = maker(tmp_path)
    flavor = Flavor(id=FlavorId("0"), name="f", vcpus=1, ram_mb=64)
    (root,) = made.make(a_guest(1, flavor=flavor), Material(images={IMAGE_ID: cached(tmp_path)}))
    assert root.virtual_bytes == 8 * MIB


def test_an_image_larger_than_the_flavor_is_refused(tmp_path: Path) -> None:
    base = tmp_path / "big"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", base, "2G"], check=True)
    made, _ = maker(tmp_path)
    with pytest.raises(ImageUnusable, match="more than"):
        made.make(a_guest(1, flavor=FLAVOR), Material(images={IMAGE_ID: base}, formats={IMAGE_ID: "qcow2"}))


def test_a_hostile_base_is_refused_whoever_brought_it(tmp_path: Path) -> None:
    secret, hostile = cached(tmp_path), tmp_path / "hostile"
    subprocess.run(
        ["qemu-img", "create", "-q", "-f", "qcow2", "-b", secret, "-F", "raw", hostile], check=True
    )
    made, _ = maker(tmp_path)
    for declared in ("qcow2", "raw"):
        with pytest.raises(ImageUnusable):
            made.make(
                a_guest(1, flavor=FLAVOR), Material(images={IMAGE_ID: hostile}, formats={IMAGE_ID: declared})
            )


def test_kernel_and_ramdisk_are_copied(tmp_path: Path) -> None:
    kernel = tmp_path / "kernel"
    kernel.write_bytes(b"k")
    image = Image(id=IMAGE_ID, disk_format="ami", properties={"kernel_id": "k1", "ramdisk_id": "r1"})
    images = {IMAGE_ID: cached(tmp_path), ImageId("k1"): kernel, ImageId("r1"): kernel}
    made, store = maker(tmp_path)
    made.make(a_guest(1, image=image, flavor=FLAVOR), Material(images=images))
    assert (store.directory(an_id(1)) / "kernel").read_bytes() == b"k"
    with pytest.raises(BuildFailed, match="r1 was not brought"):
        made.make(a_guest(1, image=image, flavor=FLAVOR), Material(images={**images, ImageId("r1"): None}))  # type: ignore[dict-item]


def test_nothing_of_an_earlier_guest_is_left_in_a_new_disk(tmp_path: Path) -> None:
    path = tmp_path / "disk.eph0"
    path.write_bytes(b"\xaa" * (4 * MIB))
    blank.make_swap(path, 4 * MIB, host="h")
    assert b"\xaa" * 17 not in path.read_bytes()  # the swap's own uuid has sixteen bytes of chance


def test_an_unknown_file_system_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ActionFailed, match="reiserfs"):
        blank.make_ephemeral(tmp_path / "x", MIB, file_system="reiserfs", label="l", host="h")
