"""``network_data.json``: what a guest needs to set up its interfaces without asking the network.

The document is true or absent: cloud-init believes it alone, so an empty or half-true one leaves a guest
without a network, while none lets it fall back to DHCP.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Any

from nova.objects.network import Topology, Vif

_DHCP_TOPOLOGIES = (Topology.FLAT_DHCP, Topology.VLAN)


def network_data(vifs: Sequence[Vif]) -> dict[str, Any] | None:
    """Return ``links``, ``networks`` and ``services``; none when any interface cannot be told truly."""
    links: list[dict[str, Any]] = []
    networks: list[dict[str, Any]] = []
    servers: dict[str, None] = {}
    for vif in vifs:
        described = [_network(vif, address) for address in vif.addresses]
        if not any(described):
            return None
        links.append(_link(vif))
        for entry in described:
            if entry is not None:
                networks.append({"id": f"network{len(networks)}", **entry})
        servers |= dict.fromkeys(vif.dns)
    if not links:
        return None
    services = [{"type": "dns", "address": server} for server in servers]
    return {"links": links, "networks": networks, "services": services}


def _link(vif: Vif) -> dict[str, Any]:
    return {
        "id": vif.device,
        "vif_id": vif.id,
        "type": "bridge" if vif.bridge else "phy",
        "mtu": vif.mtu,
        "ethernet_mac_address": vif.mac,
    }


def _network(vif: Vif, address: str) -> dict[str, Any] | None:
    parsed = ipaddress.ip_address(address)
    entry: dict[str, Any] = {"link": vif.device, "network_id": vif.network_id}
    if parsed.version == 6:
        # prefix and router of IPv6 come by router advertisements: true only for the address they lead to
        return {"type": "ipv6_slaac", **entry} if _is_slaac(parsed, vif.mac) else None
    if vif.topology in _DHCP_TOPOLOGIES and vif.dhcp_server:
        return {"type": "ipv4_dhcp", **entry}
    if not vif.cidr:
        return None
    network = ipaddress.ip_network(vif.cidr, strict=False)
    return {
        "type": "ipv4",
        **entry,
        "ip_address": address,
        "netmask": str(network.netmask),
        "routes": _default_route(vif),
        "services": [{"type": "dns", "address": server} for server in vif.dns],
    }


def _default_route(vif: Vif) -> list[dict[str, str]]:
    if not vif.gateway:
        return []
    return [{"network": "0.0.0.0", "netmask": "0.0.0.0", "gateway": vif.gateway}]


def _is_slaac(address: ipaddress.IPv4Address | ipaddress.IPv6Address, mac: str) -> bool:
    """Tell whether the low half of an address is made from the MAC (modified EUI-64, RFC 4291)."""
    octets = bytes.fromhex(mac.replace(":", ""))
    identifier = bytes((octets[0] ^ 2, *octets[1:3], 0xFF, 0xFE, *octets[3:]))
    return address.packed[8:] == identifier
