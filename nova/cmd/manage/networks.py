"""``nova-manage network``: the operator's networks."""

from __future__ import annotations

import argparse
import ipaddress
from typing import Any

from nova import ids
from nova.clock import Clock
from nova.db import fixed_ips, networks
from nova.db.configured import database
from nova.db.engine import Tx
from nova.errors import BadRequest, Conflict, NotFound
from nova.objects.ids import NetworkId, ProjectId
from nova.objects.network import Network, Topology


def register(commands: Any) -> None:
    """Add the group to an ``argparse`` set of commands."""
    group = commands.add_parser("network", help="the operator's networks").add_subparsers(required=True)
    parser = group.add_parser("create", help="make a network")
    parser.add_argument("--label", required=True, help="its name; users see it in the addresses")
    parser.add_argument("--fixed-range-v4", required=True, metavar="CIDR", help="e.g. 10.0.0.0/24")
    parser.add_argument("--bridge", default="br100", help="Linux bridge on the hosts (default br100)")
    parser.add_argument("--bridge-interface", help="interface of the hosts that joins the bridge")
    parser.add_argument("--gateway", help="default: the first address")
    parser.add_argument("--dns1", help="name server told to guests")
    parser.add_argument("--dns2", help="second name server")
    parser.add_argument("--mtu", type=int)
    parser.add_argument("--multi-host", action="store_true", help="every compute host serves it itself")
    parser.add_argument("--host", help="the host whose nova-network serves it")
    parser.add_argument("--project", help="only this project may use it")
    parser.add_argument(
        "--topology", choices=[t.value for t in (Topology.FLAT_DHCP, Topology.FLAT, Topology.NONE)],
        default=Topology.FLAT_DHCP.value,
    )  # fmt: skip
    parser.set_defaults(run=create)
    parser = group.add_parser("list", help="list networks with their addresses in use")
    parser.set_defaults(run=show_all)
    parser = group.add_parser("delete", help="drop a network nobody uses")
    parser.add_argument("network", help="its uuid or label")
    parser.set_defaults(run=delete)


def create(conf: Any, args: argparse.Namespace) -> int:
    """Make a network; the first address is gateway and DHCP server."""
    try:
        cidr = ipaddress.IPv4Network(args.fixed_range_v4)
    except ValueError as error:
        raise BadRequest(reason=f"--fixed-range-v4: {error}") from None
    if cidr.num_addresses < 8:
        raise BadRequest(reason="--fixed-range-v4 must hold at least 8 addresses")
    gateway = args.gateway or str(cidr.network_address + 1)
    network = Network(
        id=NetworkId(ids.new_uuid()),
        label=args.label,
        cidr=str(cidr),
        topology=Topology(args.topology),
        gateway=gateway,
        dhcp_server=gateway,
        dhcp_start=str(cidr.network_address + 2),
        dns=tuple(d for d in (args.dns1, args.dns2) if d),
        bridge=args.bridge,
        bridge_interface=args.bridge_interface,
        mtu=args.mtu,
        multi_host=args.multi_host,
        host=args.host,
        project_id=ProjectId(args.project) if args.project else None,
        created_at=Clock().now(),
    )
    db = database(conf)

    def work(tx: Tx) -> None:
        for other in networks.all_networks(tx):
            if other.label == network.label:
                raise Conflict(reason=f"There is a network {other.label} already.")
            if ipaddress.IPv4Network(other.cidr).overlaps(cidr):
                raise Conflict(reason=f"{cidr} overlaps {other.cidr} of network {other.label}.")
        networks.insert(tx, network)

    db.run(work)
    db.close()
    print(f"Network {network.label} ({network.cidr}) was made: {network.id}")
    return 0


def show_all(conf: Any, _args: argparse.Namespace) -> int:
    """Print all networks."""
    db = database(conf)
    found = db.read(networks.all_networks)
    used = db.read(fixed_ips.counts)
    db.close()
    print(f"{'id':36}  {'label':16}  {'cidr':18}  {'topology':9}  {'bridge':10}  used")
    for n in found:
        print(
            f"{n.id:36}  {n.label:16}  {n.cidr:18}  {n.topology.value:9}  "
            f"{n.bridge or '-':10}  {used.get(n.id, 0)}"
        )
    return 0


def delete(conf: Any, args: argparse.Namespace) -> int:
    """Drop a network."""
    db = database(conf)

    def work(tx: Tx) -> Network:
        for network in networks.all_networks(tx):
            if args.network in (network.id, network.label):
                if any(ip.instance_id for ip in fixed_ips.of_networks(tx, [network.id])):
                    raise Conflict(reason=f"Instances have addresses of network {network.label}.")
                networks.delete(tx, network.id)
                return network
        raise NotFound(what="Network", id=args.network)

    gone = db.run(work)
    db.close()
    print(f"Network {gone.label} is gone.")
    return 0
