"""Networks that exist on paper only (fake clouds): nothing is made on any host."""

from __future__ import annotations

from nova.network.options import NetworkOptions
from nova.network.topology.base import Made
from nova.objects.network import FixedIp, Network


def make(network: Network, held: tuple[FixedIp, ...], options: NetworkOptions) -> Made:  # noqa: ARG001
    """Need nothing."""
    return Made()
