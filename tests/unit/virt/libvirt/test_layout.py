"""Which disks a guest gets under which names."""

from __future__ import annotations

import pytest

from nova.errors.virt import NotCapable
from nova.objects.block_device import BlockDevice, Destination, Source
from nova.objects.image import Image
from nova.virt.libvirt.layout import GIB, MIB, disks
from nova.virt.libvirt.plan import Platform
from tests.support.guests import IMAGE_ID, a_guest

PLATFORM = Platform(virt_type="qemu")
ROOT = a_guest(1).block_devices[0]
SWAP = BlockDevice(id="s", source=Source.BLANK, size_mb=64, guest_format="swap", device_name="/dev/vdb")
EPHEMERALS = tuple(
    BlockDevice(id=f"e{n}", source=Source.BLANK, size_gb=n + 1, device_name=f"/dev/vd{'cd'[n]}")
    for n in (0, 1)
)


def test_root_then_ephemeral_then_swap_then_config_drive() -> None:
    spec = a_guest(1, block_devices=(SWAP, EPHEMERALS[1], ROOT, EPHEMERALS[0]))
    found = disks(spec, PLATFORM, "virtio", config_drive=True)
    assert [(d.file, d.target, d.kind, d.boot_order) for d in found] == [
        ("disk", "vda", "disk", 1),
        ("disk.eph0", "vdb", "disk", None),
        ("disk.eph1", "vdc", "disk", None),
        ("disk.swap", "vdd", "disk", None),
        ("disk.config", "hdd", "cdrom", None),
    ]
    assert [d.size_bytes for d in found[1:4]] == [GIB, 2 * GIB, 64 * MIB]


@pytest.mark.parametrize(
    ("wish", "bus", "target"), [("scsi", "scsi", "sda"), ("ide", "ide", "hda"), ("nonsense", "virtio", "vda")]
)
def test_the_image_chooses_the_bus(wish: str, bus: str, target: str) -> None:
    spec = a_guest(1, image=Image(id=IMAGE_ID, properties={"hw_disk_bus": wish}))
    (root,) = disks(spec, PLATFORM, "virtio", config_drive=False)
    assert (root.bus, root.target) == (bus, target)


def test_an_iso_is_a_cdrom_and_never_collides() -> None:
    spec = a_guest(1, image=Image(id=IMAGE_ID, disk_format="iso"), block_devices=(ROOT, EPHEMERALS[0]))
    found = disks(spec, PLATFORM, "ide", config_drive=True)
    assert [(d.target, d.kind) for d in found] == [("hda", "cdrom"), ("hdb", "disk"), ("hdd", "cdrom")]


def test_cdroms_follow_the_machine_type_of_the_image() -> None:
    spec = a_guest(1, image=Image(id=IMAGE_ID, properties={"hw_machine_type": "pc-q35-7.2"}))
    assert disks(spec, PLATFORM, "virtio", config_drive=True)[-1].bus == "sata"


def test_volumes_are_refused() -> None:
    volume = BlockDevice(id="v", source=Source.VOLUME, destination=Destination.VOLUME)
    with pytest.raises(NotCapable):
        disks(a_guest(1, block_devices=(ROOT, volume)), PLATFORM, "virtio", config_drive=False)


def test_too_many_disks_are_refused_in_words() -> None:
    many = tuple(BlockDevice(id=f"e{n}", source=Source.BLANK, size_gb=1) for n in range(30))
    with pytest.raises(NotCapable, match="26"):
        disks(a_guest(1, block_devices=(ROOT, *many)), PLATFORM, "virtio", config_drive=False)
