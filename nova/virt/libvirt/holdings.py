"""What guests hold on a libvirt host: domains, folders with disks, tap devices, packet rules.

Read from the host itself, each list for itself: what one has and another has not is named.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from nova.objects.holdings import Destroyed, GuestHoldings, HeldGuest, Stray
from nova.objects.host import ObservedGuest
from nova.objects.ids import HostName, InstanceId
from nova.privsep.links import Links
from nova.privsep.nft import Nft
from nova.virt.disk import qcow2_header
from nova.virt.libvirt.filter_rules import TABLE
from nova.virt.libvirt.store import Store

_PORT = re.compile(r"\btap[0-9a-f][0-9a-f-]{1,11}\b")
_MOST_BACKING = 4096


def look(
    host: HostName,
    guests: Sequence[ObservedGuest],
    store: Store,
    destroyed: Iterable[Destroyed],
) -> GuestHoldings:
    """Compare what the host has of guests; ``guests`` are its domains."""
    filters = store.filters()
    held = []
    for guest in guests:
        disks = store.disks(guest.instance_id) or ()
        guarded = filters.get(guest.instance_id)
        held.append(
            HeldGuest(
                instance_id=guest.instance_id,
                power=guest.power,
                disks=tuple(disk.serial for disk in disks if disk.serial),
                vifs=tuple(vif.id for vif in guarded.vifs) if guarded else (),
                addresses=tuple(a for vif in guarded.vifs for a in vif.addresses) if guarded else (),
            )
        )
    named = {guest.instance_id for guest in guests}
    ports = {vif.device for key in named if (guarded := filters.get(key)) for vif in guarded.vifs}
    strays = [*_folders(store, named), *_devices(ports), *_rules(ports)]
    return GuestHoldings(host=host, guests=tuple(held), strays=tuple(strays), destroyed=tuple(destroyed))


def _folders(store: Store, named: set[InstanceId]) -> Iterator[Stray]:
    for instance_id in store.instances():
        if instance_id not in named:
            yield Stray(what="disk", name=instance_id, sentence=f"A folder of {instance_id} has no domain.")
    for instance_id in named:
        folder = store.directory(instance_id)
        for disk in store.disks(instance_id) or ():
            path = folder / disk.file
            if not path.exists():
                yield Stray(what="disk", name=str(path), sentence=f"The disk {path} is not there.")
            elif (backing := _backing(path)) is not None and not backing.exists():
                words = f"The image {backing}, on which {path} stands, is not there."
                yield Stray(what="image", name=str(backing), sentence=words)


def _backing(path: Path) -> Path | None:
    """Return the file on which a QCOW2 disk of ours stands; none when it stands alone."""
    with path.open("rb") as file:
        if file.read(4) != qcow2_header.MAGIC:
            return None
        file.seek(8)
        offset, length = int.from_bytes(file.read(8)), int.from_bytes(file.read(4))
        if not offset or not 0 < length <= _MOST_BACKING:
            return None
        file.seek(offset)
        name = file.read(length).decode(errors="replace")
    return path.parent / name


def _devices(ports: set[str]) -> Iterator[Stray]:
    for link in Links().all():
        if _PORT.fullmatch(link.name) and link.name not in ports:
            yield Stray(what="port", name=link.name, sentence=f"The port {link.name} belongs to no guest.")


def _rules(ports: set[str]) -> Iterator[Stray]:
    ruled = set(_PORT.findall(Nft().listing("bridge", TABLE) or ""))
    for name in sorted(ruled - ports):
        yield Stray(what="filter", name=name, sentence=f"Packet rules for {name} belong to no guest.")
    for name in sorted(ports - ruled):
        yield Stray(what="filter", name=name, sentence=f"No packet rules guard {name}.")
