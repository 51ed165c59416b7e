"""Flat networks with DHCP: this machine is DHCP server, name server, metadata door and mostly the router."""

from __future__ import annotations

import ipaddress

import msgspec

from nova.network.options import NetworkOptions
from nova.network.render import dnsmasq
from nova.network.topology.base import (
    MAC,
    BridgePlan,
    DhcpPlan,
    Made,
    Shape,
    Zone,
    bridge_name,
    shape_of,
    uplink_name,
)
from nova.objects.network import FixedIp, Network


def make(network: Network, held: tuple[FixedIp, ...], options: NetworkOptions) -> Made:
    """Need a bridge with our address, dnsmasq on it, and translation outwards if we are the router."""
    shape = shape_of(network)
    bridge, uplink = bridge_name(network), uplink_name(network)
    guests = _guests(shape, held)
    return Made(
        bridge=BridgePlan(
            name=bridge,
            networks=(network.id,),
            addresses=(f"{shape.server}/{shape.range.prefixlen}",),
            ranges=(str(shape.range),),
            uplink=uplink,
            mtu=network.mtu or options.default_mtu,
        ),
        dhcp=_dhcp(network, shape, guests, options) if network.enable_dhcp else None,
        zone=Zone(
            bridge=bridge,
            range=str(shape.range),
            routes=shape.router == shape.server,
            # With an uplink, frames of the whole outside come in over the same bridge.
            checks_sources=uplink is None,
            serves_metadata=True,
            pairs=tuple(sorted((g.mac, g.address) for g in guests if g.mac)),
        ),
    )


def _guests(shape: Shape, held: tuple[FixedIp, ...]) -> list[FixedIp]:
    """Return who holds an IPv4 address of the range and has a good MAC, in the order of the addresses."""
    found = []
    for fixed in held:
        mac = (fixed.mac or "").lower()
        try:
            address = ipaddress.IPv4Address(fixed.address)
        except ValueError:
            continue
        if address in shape.range and MAC.fullmatch(mac):
            found.append((int(address), msgspec.structs.replace(fixed, mac=mac)))
    return [fixed for _, fixed in sorted(found, key=lambda pair: pair[0])]


def _dhcp(network: Network, shape: Shape, guests: list[FixedIp], options: NetworkOptions) -> DhcpPlan:
    return DhcpPlan(
        network=network.id,
        bridge=bridge_name(network),
        server=str(shape.server),
        configuration=dnsmasq.configuration(network, shape, options),
        hosts=dnsmasq.hosts(guests),
        options=dnsmasq.options(network, shape, options),
    )
