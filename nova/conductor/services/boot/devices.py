"""Which disks a new instance gets; pure."""

from __future__ import annotations

import msgspec

from nova import ids
from nova.errors import BadRequest
from nova.objects.block_device import BlockDevice, Destination, Source
from nova.objects.flavor import Flavor
from nova.objects.image import Image
from nova.objects.instance import BootWish


def plan(wish: BootWish, flavor: Flavor, image: Image | None) -> tuple[BlockDevice, ...]:
    """Return the disks in guest order: root, ephemerals, swap, what else was asked for."""
    for device in wish.block_devices:
        if device.destination is Destination.VOLUME:
            raise BadRequest(reason="Block devices from volumes are not available in this cloud.")
    root = next((d for d in wish.block_devices if d.is_root), None)
    if root is None:
        if image is None:
            raise BadRequest(reason="Invalid imageRef provided.")
        root = BlockDevice(id=ids.new_uuid(), source=Source.IMAGE, boot_index=0, image_id=image.id)
    elif root.size_gb > flavor.root_gb > 0:
        raise BadRequest(reason="The root disk asked for is larger than the flavor's.")
    root = msgspec.structs.replace(root, size_gb=flavor.root_gb)
    blanks = [d for d in wish.block_devices if not d.is_root]
    ephemerals = [_sized(d, size_gb=d.size_gb or flavor.ephemeral_gb) for d in blanks if not d.is_swap]
    swaps = [_sized(d, size_mb=d.size_mb or flavor.swap_mb) for d in blanks if d.is_swap]
    if not ephemerals and flavor.ephemeral_gb:
        ephemerals = [BlockDevice(id=ids.new_uuid(), source=Source.BLANK, size_gb=flavor.ephemeral_gb)]
    if not swaps and flavor.swap_mb:
        swaps = [
            BlockDevice(id=ids.new_uuid(), source=Source.BLANK, guest_format="swap", size_mb=flavor.swap_mb)
        ]
    if sum(d.size_gb for d in ephemerals) > flavor.ephemeral_gb:
        raise BadRequest(reason="Ephemeral disks requested are larger than the instance type allows.")
    if sum(d.size_mb for d in swaps) > flavor.swap_mb:
        raise BadRequest(reason="Swap drive requested is larger than instance type allows.")
    return (root, *ephemerals, *swaps)


def _sized(device: BlockDevice, *, size_gb: int = 0, size_mb: int = 0) -> BlockDevice:
    """Give a disk that was asked for without a size all that the flavor has; 400 if that is nothing."""
    if not size_gb and not size_mb:
        raise BadRequest(reason="A blank disk needs a volume_size: the flavor has none of its kind.")
    return msgspec.structs.replace(device, size_gb=size_gb, size_mb=size_mb)
