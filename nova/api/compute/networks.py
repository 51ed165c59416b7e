"""``/os-networks`` and ``/os-tenant-networks`` (until 2.35): the networks a project may use."""

from __future__ import annotations

import ipaddress
from typing import Any

from nova.api.compute.moments import micros
from nova.api.wsgi.operation import Operation, Rule
from nova.api.wsgi.request import Request
from nova.objects.ids import NetworkId
from nova.objects.network import Network
from nova.policy import PROJECT_READER_OR_ADMIN

Json = dict[str, Any]

LIST = Rule("os_compute_api:os-networks:list", PROJECT_READER_OR_ADMIN, "List networks.")
SHOW = Rule("os_compute_api:os-networks:show", PROJECT_READER_OR_ADMIN, "Show a network.")
LIST_OWN = Rule("os_compute_api:os-tenant-networks:list", PROJECT_READER_OR_ADMIN, "List one's networks.")
SHOW_OWN = Rule("os_compute_api:os-tenant-networks:show", PROJECT_READER_OR_ADMIN, "Show one's network.")


def index(req: Request) -> list[Network]:
    """List networks."""
    return req.conductor.list_networks(req.ctx)


def show(req: Request, id: str) -> Network:
    """Show a network."""
    return req.conductor.show_network(req.ctx, NetworkId(id))


def _ranges(network: Network) -> Json:
    """Return what follows from the address ranges of a network."""
    range4 = ipaddress.IPv4Network(network.cidr, strict=False)
    range6 = ipaddress.IPv6Network(network.cidr_v6, strict=False) if network.cidr_v6 else None
    return {
        "netmask": str(range4.netmask),
        "broadcast": str(range4.broadcast_address),
        "netmask_v6": str(range6.prefixlen) if range6 else None,
    }


def entry(network: Network, *, in_full: bool) -> Json:
    """Render a network; how it is made on the hosts is for administrators."""
    shown: Json = {
        "id": network.id,
        "label": network.label,
        "cidr": network.cidr,
        "cidr_v6": network.cidr_v6,
        "gateway": network.gateway,
        "gateway_v6": network.gateway_v6,
        "dns1": network.dns[0] if network.dns else None,
        "dns2": network.dns[1] if len(network.dns) > 1 else None,
        **_ranges(network),
    }
    if in_full:
        shown |= {
            "bridge": network.bridge,
            "bridge_interface": network.bridge_interface,
            "vlan": network.vlan,
            "mtu": network.mtu,
            "host": network.host,
            "multi_host": network.multi_host,
            "project_id": network.project_id,
            "dhcp_server": network.dhcp_server or network.gateway,
            "dhcp_start": network.dhcp_start,
            "enable_dhcp": network.enable_dhcp,
            "created_at": micros(network.created_at),
            "updated_at": micros(network.updated_at),
            "deleted": False,
            "deleted_at": None,
            "injected": False,
            "share_address": False,
            "priority": None,
            "rxtx_base": None,
            "vpn_private_address": None,
            "vpn_public_address": None,
            "vpn_public_port": None,
        }
    return shown


def short_entry(network: Network) -> Json:
    """Render a network for those who only use it."""
    return {"id": network.id, "label": network.label, "cidr": network.cidr}


def full_list(req: Request, networks: list[Network]) -> Json:
    """Render a list of networks."""
    return {"networks": [entry(network, in_full=req.ctx.is_admin) for network in networks]}


def full_one(req: Request, network: Network) -> Json:
    """Render one network."""
    return {"network": entry(network, in_full=req.ctx.is_admin)}


def short_list(_: Request, networks: list[Network]) -> Json:
    """Render a short list of networks."""
    return {"networks": [short_entry(network) for network in networks]}


def short_one(_: Request, network: Network) -> Json:
    """Render one network in short."""
    return {"network": short_entry(network)}


def _read(name: str, path: str, handler: Any, view: Any, policy: Rule) -> Operation:
    return Operation(name=name, method="GET", path=path, handler=handler, view=view, policy=policy, query={})


OPERATIONS = (
    _read("networks.index", "/os-networks", index, full_list, LIST),
    _read("networks.show", "/os-networks/{id}", show, full_one, SHOW),
    _read("tenant_networks.index", "/os-tenant-networks", index, short_list, LIST_OWN),
    _read("tenant_networks.show", "/os-tenant-networks/{id}", show, short_one, SHOW_OWN),
)
