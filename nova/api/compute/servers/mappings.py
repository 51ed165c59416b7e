"""Block device mappings of a create request, in both their forms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nova import ids
from nova.api.wsgi.schema_parts import truth
from nova.errors import BadRequest
from nova.objects.block_device import BlockDevice, Destination, Source
from nova.objects.ids import ImageId, VolumeId

Json = dict[str, Any]
MAX_LOCAL = 3
"""Most disks on a host's own storage that a request may name, ephemeral and swap ones included."""

_PAIRS = frozenset(
    {
        (Source.IMAGE, Destination.LOCAL),
        (Source.IMAGE, Destination.VOLUME),
        (Source.SNAPSHOT, Destination.VOLUME),
        (Source.VOLUME, Destination.VOLUME),
        (Source.BLANK, Destination.LOCAL),
        (Source.BLANK, Destination.VOLUME),
    }
)


def block_devices(server: Json, image_id: ImageId | None) -> tuple[BlockDevice, ...]:
    """Return the disks that a request names.  Raises 400 for what does not fit together."""
    old, new = server.get("block_device_mapping"), server.get("block_device_mapping_v2")
    if old and new:
        raise BadRequest(
            reason="Using different block_device_mapping syntaxes is not allowed in the same request."
        )
    if old:
        devices = tuple(
            device for n, item in enumerate(old) if (device := _old(item, image_id is None and n == 0))
        )
    else:
        devices = tuple(_new(item, image_id) for item in new or () if not item.get("no_device"))
    _check_boot_order(devices, image_id)
    if sum(device.destination is Destination.LOCAL for device in devices) > MAX_LOCAL:
        raise _invalid(f"You specified more local devices than the limit of {MAX_LOCAL} allows")
    return devices


def _invalid(why: str) -> BadRequest:
    return BadRequest(reason=f"Block Device Mapping is Invalid: {why}.")


def _check_boot_order(devices: Sequence[BlockDevice], image_id: ImageId | None) -> None:
    order = sorted(d.boot_index for d in devices if d.boot_index is not None and d.boot_index >= 0)
    if image_id is not None and 0 not in order:
        order.insert(0, 0)
    if order != list(range(len(order))) or not order:
        raise _invalid(
            "Boot sequence for the instance and image/block device mapping combination is not valid"
        )


def _old(item: Json, boots: bool) -> BlockDevice | None:
    """Read an item of the first form; none if it only speaks of what there is anyway."""
    virtual = str(item.get("virtual_name") or "")
    size = int(item.get("volume_size") or 0)
    if truth(item.get("no_device")) or virtual in ("ami", "root"):
        return None
    name = item.get("device_name")
    if virtual == "swap":
        return BlockDevice(
            id=ids.new_uuid(),
            source=Source.BLANK,
            guest_format="swap",
            size_mb=size,
            device_name=name,
        )
    if virtual.startswith("ephemeral"):
        return BlockDevice(id=ids.new_uuid(), source=Source.BLANK, size_gb=size, device_name=name)
    volume, snapshot = item.get("volume_id"), item.get("snapshot_id")
    if not volume and not snapshot:
        raise _invalid("an item names neither volume nor snapshot")
    return BlockDevice(
        id=ids.new_uuid(),
        source=Source.SNAPSHOT if snapshot else Source.VOLUME,
        destination=Destination.VOLUME,
        boot_index=0 if boots else None,
        size_gb=size,
        device_name=name,
        volume_id=VolumeId(volume) if volume else None,
        snapshot_id=snapshot,
        delete_on_termination=truth(item.get("delete_on_termination", False)),
    )


def _new(item: Json, image_id: ImageId | None) -> BlockDevice:
    """Read an item of the second form."""
    if "source_type" not in item:
        raise _invalid("source_type is missing")
    source = Source(item["source_type"])
    destination = _destination(item, source)
    index = item.get("boot_index")
    boot_index = None if index is None else int(index)
    uuid = item.get("uuid") or item.get(f"{source.value}_id")
    size = int(item.get("volume_size") or 0)
    _check(item, source, destination, uuid)
    if source is Source.IMAGE and destination is Destination.LOCAL and (uuid != image_id or boot_index != 0):
        raise _invalid("Mapping image to local is not supported but for the boot image itself")
    swap = source is Source.BLANK and item.get("guest_format") == "swap"
    local = destination is Destination.LOCAL
    return BlockDevice(
        id=ids.new_uuid(),
        source=source,
        destination=destination,
        boot_index=boot_index,
        size_gb=0 if swap else size,
        size_mb=size if swap else 0,
        guest_format=item.get("guest_format"),
        device_name=item.get("device_name"),
        disk_bus=item.get("disk_bus"),
        device_type=item.get("device_type") or "disk",
        image_id=ImageId(uuid) if uuid and source is Source.IMAGE else None,
        volume_id=VolumeId(uuid) if uuid and source is Source.VOLUME else None,
        snapshot_id=uuid if source is Source.SNAPSHOT else None,
        volume_type=item.get("volume_type") or None,
        delete_on_termination=truth(item.get("delete_on_termination", local)),
        tag=item.get("tag"),
    )


def _destination(item: Json, source: Source) -> Destination:
    word = item.get("destination_type")
    if word:
        return Destination(word)
    return Destination.VOLUME if source in (Source.VOLUME, Source.SNAPSHOT) else Destination.LOCAL


def _check(item: Json, source: Source, destination: Destination, uuid: str | None) -> None:
    """Raise 400 for an item whose parts contradict each other."""
    if (source, destination) not in _PAIRS:
        raise _invalid(f"Mapping {source.value} to {destination.value} is not supported")
    if source is Source.BLANK and uuid:
        raise _invalid("device UUID is not to be specified for source type blank")
    if source is not Source.BLANK and not uuid:
        raise _invalid(f"device UUID is required for source type {source.value}")
    new_volume = destination is Destination.VOLUME and source is not Source.VOLUME
    if item.get("volume_type") and not new_volume:
        raise _invalid("volume_type is only for volumes that are made for the server")
    if new_volume and source is not Source.SNAPSHOT and not item.get("volume_size"):
        raise _invalid(f"{source.value.capitalize()}s mapped to volumes need a volume_size")
    if item.get("guest_format") == "swap" and destination is Destination.VOLUME:
        raise _invalid("swap cannot be on a volume")
