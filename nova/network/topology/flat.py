"""Flat networks without DHCP: a bridge that joins guests to the operator's own network.

Guests learn their addresses from their config drive; the router is somebody else's.
"""

from __future__ import annotations

from nova.network.options import NetworkOptions
from nova.network.topology.base import BridgePlan, Made, bridge_name, uplink_name
from nova.objects.network import FixedIp, Network


def make(network: Network, held: tuple[FixedIp, ...], options: NetworkOptions) -> Made:  # noqa: ARG001
    """Need a bridge, and nothing of ours on it."""
    return Made(
        bridge=BridgePlan(
            name=bridge_name(network),
            networks=(network.id,),
            uplink=uplink_name(network),
            mtu=network.mtu or options.default_mtu,
        )
    )
