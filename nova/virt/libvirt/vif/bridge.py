"""Linux bridges: libvirt makes the tap and plugs it in, the bridge must be there."""

from __future__ import annotations

import re
from collections.abc import Iterable

from nova.errors.virt import BuildFailed
from nova.objects.network import Vif
from nova.privsep.links import Links

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,15}")
_ALIAS = "nova bridge"


def ensure(links: Links, vifs: Iterable[Vif], host: str) -> None:
    """Make the bridges of these interfaces, where they are missing; addresses are the network service's."""
    for vif in vifs:
        if vif.bridge is None:
            continue
        if not _NAME.fullmatch(vif.bridge):
            raise BuildFailed(host=host, reason=f"{vif.bridge!r} is no name of a bridge")
        created = links.create_bridge(vif.bridge, alias=_ALIAS)
        links.set_up(vif.bridge, mtu=vif.mtu if created else None)


def remove(links: Links, vifs: Iterable[Vif]) -> None:
    """Remove taps that a process which died left behind; usually there are none."""
    for vif in vifs:
        links.delete(vif.device)
