"""What a host really holds, as it says itself: what audits compare with the books."""

from __future__ import annotations

from nova.objects.base import Value
from nova.objects.ids import HostName, InstanceId, NetworkId, VifId
from nova.objects.states import Power


class HeldGuest(Value, frozen=True, kw_only=True):
    """A guest that is there, running or not."""

    instance_id: InstanceId
    power: Power = Power.NOSTATE
    disks: tuple[str, ...] = ()
    """Ids of its block devices (volumes as ``volume:<id>``)."""
    vifs: tuple[VifId, ...] = ()
    addresses: tuple[str, ...] = ()
    """Empty where the host does not keep them."""


class Stray(Value, frozen=True, kw_only=True):
    """Something that should be part of a guest and is not, or lacks what it needs."""

    what: str
    """``disk``, ``port``, ``filter``, ``image``."""
    name: str
    sentence: str


class Destroyed(Value, frozen=True, kw_only=True):
    """A guest that was taken away, and why."""

    instance_id: InstanceId
    reason: str


class GuestHoldings(Value, frozen=True, kw_only=True):
    """All that a compute host holds at one moment."""

    host: HostName
    guests: tuple[HeldGuest, ...] = ()
    at_work: tuple[InstanceId, ...] = ()
    """Guests with jobs that have not ended: what is said of them may be out of date already."""
    strays: tuple[Stray, ...] = ()
    destroyed: tuple[Destroyed, ...] = ()
    """The last ones (bounded)."""
    violations: tuple[str, ...] = ()
    """Sentences about what should never have been asked of the host."""


class DhcpEntry(Value, frozen=True, kw_only=True):
    """An address that a DHCP server of a host gives out."""

    network_id: NetworkId
    mac: str
    address: str


class NetworkHoldings(Value, frozen=True, kw_only=True):
    """What a nova-network host serves at one moment."""

    host: HostName
    entries: tuple[DhcpEntry, ...] = ()
    at_work: bool = False
    """Jobs have not ended."""
    strays: tuple[Stray, ...] = ()
