"""What a network may need on a host.

A kind of network is a pure function ``make(network, held, options) -> Made``: it may ask for a bridge, for
DHCP service and for packet rules, or for none of them.  A kind that needs more (a VLAN device below the
bridge) adds a field to :class:`BridgePlan`, which ``nova.network.linux.bridge`` then makes.
"""

from __future__ import annotations

import ipaddress
import re

import msgspec

from nova.errors.network import NetworkUnusable
from nova.objects.ids import NetworkId
from nova.objects.network import Network

MAC = re.compile(r"([0-9a-f]{2}:){5}[0-9a-f]{2}")
"""A hardware address in our spelling."""
_DEVICE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}")


class BridgePlan(msgspec.Struct, frozen=True, kw_only=True):
    """A bridge with our addresses on it."""

    name: str
    networks: tuple[NetworkId, ...]
    addresses: tuple[str, ...] = ()
    """``a.b.c.d/n``, ours; an address of one of ``ranges`` that is not here is taken off."""
    ranges: tuple[str, ...] = ()
    uplink: str | None = None
    """Device of the machine that becomes a port."""
    mtu: int | None = None


class DhcpPlan(msgspec.Struct, frozen=True, kw_only=True):
    """DHCP and DNS for one network."""

    network: NetworkId
    bridge: str
    server: str
    """Our address on the bridge."""
    configuration: str
    """dnsmasq's configuration, without the names of files."""
    hosts: str
    options: str


class Zone(msgspec.Struct, frozen=True, kw_only=True):
    """What packet rules must know of one network."""

    bridge: str
    range: str
    routes: bool
    """This machine is the guests' router and translates their addresses on the way out."""
    checks_sources: bool
    """Only addresses of the range may come in over the bridge."""
    serves_metadata: bool
    pairs: tuple[tuple[str, str], ...] = ()
    """MAC and address of every guest: only those may ask for metadata."""


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """What one network needs."""

    bridge: BridgePlan | None = None
    dhcp: DhcpPlan | None = None
    zone: Zone | None = None


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """A network's addresses, parsed and checked."""

    range: ipaddress.IPv4Network
    server: ipaddress.IPv4Address
    """Our address: DHCP server, name server, and router if ``router`` is the same."""
    router: ipaddress.IPv4Address | None


def shape_of(network: Network) -> Shape:
    """Parse a network's addresses; raise :class:`NetworkUnusable` with the reason when they do not fit.

    Without a DHCP server's address the gateway's is taken, without a gateway the first of the range.  Of a
    multi-host network every host is the router of its own guests.
    """
    try:
        cidr = ipaddress.IPv4Network(network.cidr)
        first = cidr.network_address + (1 if cidr.prefixlen < 31 else 0)
        gateway = ipaddress.IPv4Address(network.gateway) if network.gateway else None
        server = ipaddress.IPv4Address(network.dhcp_server) if network.dhcp_server else (gateway or first)
    except ValueError as error:
        raise NetworkUnusable(network=network.label, reason=str(error)) from error
    for address in (gateway, server):
        if address is not None and address not in cidr:
            raise NetworkUnusable(network=network.label, reason=f"{address} is not in {cidr}")
    if network.multi_host or gateway is None:
        return Shape(range=cidr, server=server, router=server)
    return Shape(range=cidr, server=server, router=gateway)


def bridge_name(network: Network) -> str:
    """Return the bridge's name: the operator's, else one made from the network's id."""
    name = network.bridge or f"br{network.id.replace('-', '')[:11]}"
    if not _DEVICE.fullmatch(name):
        raise NetworkUnusable(network=network.label, reason=f"{name!r} cannot be the name of a device")
    return name


def uplink_name(network: Network) -> str | None:
    """Return the device that joins the bridge to the outside, if any."""
    name = network.bridge_interface
    if name and not _DEVICE.fullmatch(name):
        raise NetworkUnusable(network=network.label, reason=f"{name!r} cannot be the name of a device")
    return name or None
