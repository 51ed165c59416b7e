"""Networks of the operator, and what nova-network hosts must know of them."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from nova import ids
from nova.conductor.services.once import once
from nova.conductor.services.services import is_up
from nova.context import RequestContext
from nova.db import fixed_ips, networks, services
from nova.db.engine import Tx, again
from nova.errors import Unavailable
from nova.errors.admin import NetworkConflict, NetworkInUse, NetworkInvalid, NetworkNotFound
from nova.objects.ids import HostName, NetworkId, ProjectId
from nova.objects.network import Network, NetworkState, Topology

if TYPE_CHECKING:
    from nova.conductor.world import World

_LOG = logging.getLogger(__name__)
_BRIDGE = "br100"
_BINARY = "nova-network"


def list_networks(world: World, ctx: RequestContext) -> list[Network]:
    """Return the networks the caller may use (administrators: all), by label."""
    if ctx.is_admin:
        return world.db.read(networks.all_networks)
    return world.db.read(lambda tx: networks.usable_by(tx, ProjectId(ctx.project_id)))


def show(world: World, ctx: RequestContext, network_id: NetworkId) -> Network:
    """Return a network the caller may use; raises ``NetworkNotFound``."""
    network = world.db.read(lambda tx: networks.get(tx, network_id))
    if network is None or not (ctx.is_admin or network.project_id in {None, ctx.project_id}):
        raise NetworkNotFound(id=network_id)
    return network


def create(world: World, ctx: RequestContext, network: Network) -> Network:
    """Make a network, filling in what is not given; raises ``NetworkInvalid`` and ``NetworkConflict``."""
    wanted = msgspec.structs.replace(
        completed(network),
        id=network.id or NetworkId(ids.new_uuid()),
        created_at=world.clock.now(),
        updated_at=None,
    )

    def work(tx: Tx) -> Network:
        networks.hold_all(tx)
        _check_free(wanted, networks.all_networks(tx))
        served = wanted
        if served.host is None and not served.multi_host and served.topology is not Topology.NONE:
            served = msgspec.structs.replace(served, host=_host_for_networks(world, tx))
        networks.insert(tx, served)
        return served

    made = once(world, ctx, work, Network)
    _tell_hosts(world, ctx)
    return made


def completed(network: Network) -> Network:
    """Fill in gateway, DHCP server, first address and bridge; raises ``NetworkInvalid``."""
    try:
        cidr = ipaddress.IPv4Network(network.cidr)
        if network.cidr_v6 is not None:
            ipaddress.IPv6Network(network.cidr_v6)
    except ValueError as error:
        raise NetworkInvalid(reason=str(error)) from None
    if cidr.num_addresses < 4:
        raise NetworkInvalid(reason=f"{cidr} has no room for guests")
    first = str(cidr[1])
    gateway = network.gateway or first
    dhcp_server = network.dhcp_server or (gateway if _within(cidr, gateway) else first)
    made = msgspec.structs.replace(
        network,
        cidr=str(cidr),
        gateway=gateway,
        dhcp_server=dhcp_server if network.enable_dhcp else network.dhcp_server,
        dhcp_start=network.dhcp_start or str(cidr[2]),
        bridge=network.bridge or _bridge(network),
    )
    for name in ("gateway", "dhcp_server", "dhcp_start"):
        address = getattr(made, name)
        if address is not None and not _within(cidr, address):
            raise NetworkInvalid(reason=f"its {name} {address} is not an address of {cidr}")
    return made


def _within(cidr: ipaddress.IPv4Network, text: str) -> bool:
    try:
        address = ipaddress.IPv4Address(text)
    except ValueError:
        raise NetworkInvalid(reason=f"{text} is no IPv4 address") from None
    return address in cidr and address not in {cidr[0], cidr[-1]}


def _bridge(network: Network) -> str | None:
    if network.topology is Topology.NONE:
        return None
    return f"br{network.vlan}" if network.vlan is not None else _BRIDGE


def _check_free(wanted: Network, others: Sequence[Network]) -> None:
    """Refuse a label that is taken and a range that overlaps: addresses say who a guest is."""
    cidr = ipaddress.IPv4Network(wanted.cidr)
    for other in others:
        if other.label == wanted.label:
            raise NetworkConflict(reason=f"there is a network called {other.label}")
        if cidr.overlaps(ipaddress.IPv4Network(other.cidr)):
            raise NetworkConflict(reason=f"{wanted.cidr} overlaps {other.cidr} of network {other.label}")


def _host_for_networks(world: World, tx: Tx) -> HostName | None:
    """Return the first host whose nova-network lives; none: whichever asks first takes the network."""
    found = services.all_services(tx, _BINARY)
    return next((s.host for s in found if not s.disabled and is_up(world, s)), None)


def delete(world: World, ctx: RequestContext, network_id: NetworkId) -> None:
    """Remove a network nobody uses; raises ``NetworkNotFound`` and ``NetworkInUse``."""

    def work(tx: Tx) -> bool:
        if networks.get(tx, network_id) is None:
            raise NetworkNotFound(id=network_id)
        if not fixed_ips.clear(tx, network_id):
            raise NetworkInUse(id=network_id)
        return networks.delete(tx, network_id)

    once(world, ctx, work, bool)
    _tell_hosts(world, ctx)


def _tell_hosts(world: World, ctx: RequestContext) -> None:
    """Tell every nova-network; one that cannot be told looks by itself before long."""
    try:
        world.network.all.networks_changed(ctx)
    except Unavailable as error:
        _LOG.warning("No host was told of changed networks: %s", error)


def state_of(world: World, host: HostName) -> NetworkState:
    """Return all that the nova-network of a host must have; networks nobody serves become this host's."""

    def read(tx: Tx) -> tuple[list[Network], NetworkState]:
        served = networks.served_by(tx, host)
        free = [n for n in served if n.host is None and not n.multi_host and n.topology is not Topology.NONE]
        return (free, NetworkState()) if free else ([], _state(tx, served, host))

    free, state = world.db.read(read)
    if free:
        world.db.run(lambda tx: [networks.take(tx, network, host) for network in free], settled=again)
        state = world.db.read(lambda tx: _state(tx, networks.served_by(tx, host), host))
    return state


def _state(tx: Tx, served: Sequence[Network], host: HostName) -> NetworkState:
    own = {n.id: n for n in served if n.multi_host or n.host == host}
    # On a multi-host network every host answers its own guests only: they all hear each other's requests.
    held = [
        ip
        for ip in fixed_ips.of_networks(tx, sorted(own))
        if not own[ip.network_id].multi_host or ip.host == host
    ]
    return NetworkState(networks=tuple(own.values()), fixed_ips=tuple(held))


def lease_changed(world: World, address: str, mac: str, leased: bool) -> None:
    """Note what a DHCP server says about an address. Idempotent; strangers are ignored."""
    world.db.once(lambda tx: fixed_ips.set_leased(tx, address, mac, leased), repeatable=True)
