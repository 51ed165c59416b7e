"""What the fake world holds, as values that the invariant checker compares with the database."""

from __future__ import annotations

from nova.errors import NovaError
from nova.objects import holdings as held
from nova.objects.base import Value
from nova.objects.ids import HostName, InstanceId, NetworkId, VifId
from nova.objects.states import Power


class DoubleUse(NovaError):
    """Something that can be held once was about to be held twice: a mistake of the control plane."""

    template = "{what} is held by {holder} and was asked for by {asker}"


class HeldVif(Value, frozen=True, kw_only=True):
    """A plugged interface."""

    id: VifId
    mac: str
    network_id: NetworkId
    addresses: tuple[str, ...] = ()


class HeldGuest(Value, frozen=True, kw_only=True):
    """A guest with all that it holds."""

    id: InstanceId
    host: HostName
    name: str
    power: Power
    vcpus: int = 0
    ram_mb: int = 0
    disk_gb: int = 0
    disks: tuple[str, ...] = ()
    """Block device ids; volumes as ``volume:<id>``."""
    vifs: tuple[HeldVif, ...] = ()
    boots: int = 0


class Destroyed(Value, frozen=True, kw_only=True):
    """A guest that was taken away, and why."""

    id: InstanceId
    host: HostName
    reason: str


class Books(Value, frozen=True, kw_only=True):
    """Everything the world holds at one moment."""

    guests: tuple[HeldGuest, ...] = ()
    violations: tuple[str, ...] = ()
    """Sentences about what should never have been asked for; empty in a sound cloud."""
    destroyed: tuple[Destroyed, ...] = ()
    """The last guests taken away, oldest first (bounded)."""

    def disks(self) -> dict[str, InstanceId]:
        """Return every disk with its guest."""
        return {disk: guest.id for guest in self.guests for disk in guest.disks}

    def interfaces(self) -> dict[VifId, InstanceId]:
        """Return every plugged interface with its guest."""
        return {vif.id: guest.id for guest in self.guests for vif in guest.vifs}

    def addresses(self) -> dict[tuple[NetworkId, str], InstanceId]:
        """Return every held address with its guest."""
        return {
            (vif.network_id, address): guest.id
            for guest in self.guests
            for vif in guest.vifs
            for address in vif.addresses
        }


TOLD = 2_000
"""Destroyed guests that are told at a time."""


def holdings(books: Books, host: HostName) -> held.GuestHoldings:
    """Return what the books say of one host, in the words of every driver."""
    return held.GuestHoldings(
        host=host,
        guests=tuple(
            held.HeldGuest(
                instance_id=guest.id,
                power=guest.power,
                disks=guest.disks,
                vifs=tuple(vif.id for vif in guest.vifs),
                addresses=tuple(address for vif in guest.vifs for address in vif.addresses),
            )
            for guest in books.guests
            if guest.host == host
        ),
        destroyed=tuple(
            held.Destroyed(instance_id=gone.id, reason=gone.reason)
            for gone in books.destroyed
            if gone.host == host
        )[-TOLD:],
        violations=books.violations,
    )
