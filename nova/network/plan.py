"""The plan of a host's networks: what must be there, as values, made purely from the truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from nova.errors import NovaError
from nova.errors.network import NetworkUnusable, TopologyUnsupported
from nova.network.options import NetworkOptions
from nova.network.render import nat
from nova.network.topology import flat, flat_dhcp, none
from nova.network.topology.base import BridgePlan, DhcpPlan, Made, Zone
from nova.objects.ids import HostName, NetworkId
from nova.objects.network import FixedIp, Network, NetworkState, Topology

Maker = Callable[[Network, tuple[FixedIp, ...], NetworkOptions], Made]

MAKERS: Mapping[Topology, Maker] = {
    Topology.FLAT_DHCP: flat_dhcp.make,
    Topology.FLAT: flat.make,
    Topology.NONE: none.make,
}
"""How each kind of network is made; a new kind is one module and one line here."""


class HostPlan(msgspec.Struct, frozen=True, kw_only=True):
    """All that must be on a host."""

    bridges: tuple[BridgePlan, ...] = ()
    dhcp: tuple[DhcpPlan, ...] = ()
    rules: nat.Table | None = None
    """Our table of packet rules; none: no table at all."""
    forwards: bool = False
    """The machine is a router for its guests."""
    serves_metadata: bool = False
    """The metadata address must be ours."""
    networks: frozenset[NetworkId] = frozenset()
    refused: dict[NetworkId, NovaError] = {}
    """Networks that cannot be planned, and why; the others are not held up by them."""

    def bridges_of(self, network: NetworkId) -> tuple[str, ...]:
        """Return the names of the bridges that serve a network."""
        return tuple(bridge.name for bridge in self.bridges if network in bridge.networks)


def make_plan(state: NetworkState, options: NetworkOptions, host: HostName) -> HostPlan:
    """Plan a host from the truth."""
    held: dict[NetworkId, list[FixedIp]] = {}
    for fixed in state.fixed_ips:
        held.setdefault(fixed.network_id, []).append(fixed)
    bridges: dict[str, BridgePlan] = {}
    dhcp: list[DhcpPlan] = []
    zones: list[Zone] = []
    refused: dict[NetworkId, NovaError] = {}
    for network in sorted(state.networks, key=lambda n: n.id):
        try:
            made = _make(network, tuple(held.get(network.id, ())), options, host)
            if made.bridge is not None:
                bridges[made.bridge.name] = _joined(bridges.get(made.bridge.name), made.bridge)
        except NovaError as error:
            refused[network.id] = error
            continue
        dhcp += [made.dhcp] if made.dhcp is not None else []
        zones += [made.zone] if made.zone is not None else []
    return HostPlan(
        bridges=tuple(bridges.values()),
        dhcp=tuple(dhcp),
        rules=nat.table(zones, options) if zones else None,
        forwards=any(zone.routes for zone in zones),
        serves_metadata=any(zone.serves_metadata for zone in zones),
        networks=frozenset(network.id for network in state.networks),
        refused=refused,
    )


def _make(network: Network, held: tuple[FixedIp, ...], options: NetworkOptions, host: HostName) -> Made:
    maker = MAKERS.get(network.topology)
    if maker is None:
        raise TopologyUnsupported(network=network.label, host=host, topology=network.topology.value)
    return maker(network, held, options)


def _joined(before: BridgePlan | None, bridge: BridgePlan) -> BridgePlan:
    """Join what two networks want of one bridge."""
    if before is None:
        return bridge
    if before.uplink and bridge.uplink and before.uplink != bridge.uplink:
        reason = f"its bridge {bridge.name} has the port {before.uplink} of another network"
        raise NetworkUnusable(network=bridge.networks[0], reason=reason)
    mtus = [mtu for mtu in (before.mtu, bridge.mtu) if mtu is not None]
    return BridgePlan(
        name=before.name,
        networks=before.networks + bridge.networks,
        addresses=before.addresses + bridge.addresses,
        ranges=before.ranges + bridge.ranges,
        uplink=before.uplink or bridge.uplink,
        mtu=min(mtus, default=None),
    )
