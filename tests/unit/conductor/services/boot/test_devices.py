"""Which disks a new instance gets."""

from __future__ import annotations

import pytest

from nova import ids
from nova.conductor.services.boot.devices import plan
from nova.errors import BadRequest
from nova.objects.block_device import BlockDevice, Source
from nova.objects.ids import FlavorId, ImageId
from nova.objects.image import Image
from nova.objects.instance import BootWish
from tests.unit.conductor.services.makers import flavor

IMAGE = Image(id=ImageId("155d900f-4e14-4e4c-a73d-069cbf4541e6"), name="cirros")
BARE = flavor(root_gb=5)
RICH = flavor(root_gb=5, ephemeral_gb=4, swap_mb=256)


def blank(**values: object) -> BlockDevice:
    return BlockDevice(id=ids.new_uuid(), source=Source.BLANK, **values)  # type: ignore[arg-type]


def root(**values: object) -> BlockDevice:
    return BlockDevice(id=ids.new_uuid(), source=Source.IMAGE, boot_index=0, image_id=IMAGE.id, **values)  # type: ignore[arg-type]


def wish(*devices: BlockDevice) -> BootWish:
    return BootWish(name="web", flavor_id=FlavorId("1"), block_devices=devices)


def sizes(devices: tuple[BlockDevice, ...]) -> list[tuple[int, int]]:
    return [(device.size_gb, device.size_mb) for device in devices]


def test_the_flavor_says_which_disks_there_are() -> None:
    assert sizes(plan(wish(), BARE, IMAGE)) == [(5, 0)]
    assert sizes(plan(wish(), RICH, IMAGE)) == [(5, 0), (4, 0), (0, 256)]


def test_a_disk_asked_for_without_a_size_gets_what_the_flavor_has() -> None:
    asked = wish(root(), blank(guest_format="swap"), blank())
    assert sizes(plan(asked, RICH, IMAGE)) == [(5, 0), (4, 0), (0, 256)]


@pytest.mark.parametrize("format_", [None, "swap"])
def test_a_disk_without_a_size_of_a_flavor_that_has_none_is_refused(format_: str | None) -> None:
    with pytest.raises(BadRequest, match="the flavor has none"):
        plan(wish(root(), blank(guest_format=format_)), BARE, IMAGE)


def test_disks_fit_the_flavor_together() -> None:
    assert sizes(plan(wish(blank(size_gb=1), blank(size_gb=3)), RICH, IMAGE)) == [
        (5, 0),
        (1, 0),
        (3, 0),
        (0, 256),
    ]
    for devices in ([blank(size_gb=1), blank()], [blank(size_gb=5)]):
        with pytest.raises(BadRequest, match="Ephemeral disks requested are larger"):
            plan(wish(*devices), RICH, IMAGE)
    with pytest.raises(BadRequest, match="Swap drive requested is larger"):
        plan(wish(blank(size_mb=257, guest_format="swap")), RICH, IMAGE)
    with pytest.raises(BadRequest, match="root disk asked for is larger"):
        plan(wish(root(size_gb=6)), RICH, IMAGE)
