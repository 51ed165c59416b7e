"""``nova-manage network``: the operator's networks."""

from __future__ import annotations

import argparse
import ipaddress
import re
from typing import Any

import msgspec

from nova import ids
from nova.clock import Clock
from nova.cmd.manage import numbers, shown
from nova.db import fixed_ips, networks
from nova.db.configured import opened
from nova.db.engine import Tx
from nova.errors import BadRequest, Conflict, NotFound
from nova.objects.ids import NetworkId, ProjectId
from nova.objects.network import Network, Topology

MTU = numbers.whole(68, 65535)
"""What Linux takes for a device that carries IPv4."""
LABEL_MOST = 255
_DEVICE = re.compile(r"(?!\.{1,2}$)[\w.-]{1,15}", re.ASCII)
_DNS2 = "--dns2 goes with --dns1"
NONE = "none"
"""Said of an option that can be taken away."""


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
    parser.add_argument("--mtu", type=MTU, help="68 to 65535")
    parser.add_argument("--multi-host", action="store_true", help="every compute host serves it itself")
    parser.add_argument("--host", help="the host whose nova-network serves it")
    parser.add_argument("--project", help="only this project may use it")
    parser.add_argument(
        "--topology", choices=[t.value for t in (Topology.FLAT_DHCP, Topology.FLAT, Topology.NONE)],
        default=Topology.FLAT_DHCP.value,
    )  # fmt: skip
    parser.set_defaults(run=create)
    parser = group.add_parser("list", help="list networks with their addresses in use")
    shown.add_json(parser)
    parser.set_defaults(run=show_all)
    _register_modify(group)
    parser = group.add_parser("delete", help="drop a network nobody uses")
    parser.add_argument("network", help="its uuid or label")
    parser.set_defaults(run=delete)


def _register_modify(group: Any) -> None:
    parser = group.add_parser("modify", help="change what hosts can follow while guests are there")
    parser.add_argument("network", help="its uuid or label")
    parser.add_argument("--label", help="a new name")
    parser.add_argument("--dns1", help="name server told to guests; 'none' for no name servers")
    parser.add_argument("--dns2", help="second name server")
    parser.add_argument("--mtu", type=MTU, help="68 to 65535")
    parser.add_argument("--host", help="the host whose nova-network serves it; 'none': who comes first")
    parser.add_argument("--project", help="only this project may use it; 'none' for all")
    parser.set_defaults(run=modify)


def create(conf: Any, args: argparse.Namespace) -> int:
    """Make a network; the first address is gateway and DHCP server."""
    try:
        cidr = ipaddress.IPv4Network(args.fixed_range_v4)
    except ValueError as error:
        raise BadRequest(reason=f"--fixed-range-v4: {error}") from None
    if cidr.num_addresses < 8:
        raise BadRequest(reason="--fixed-range-v4 must hold at least 8 addresses")
    if any((cidr.is_multicast, cidr.is_loopback, cidr.is_link_local, cidr.network_address.packed[0] == 0)):
        raise BadRequest(reason=f"--fixed-range-v4: guests cannot have addresses of {cidr}.")
    _check_label(args.label)
    for device in (args.bridge, args.bridge_interface):
        if device is not None and not _DEVICE.fullmatch(device):
            raise BadRequest(reason=f"{device!r} is no name of a network device (15 characters at most).")
    if args.dns2 and not args.dns1:
        raise BadRequest(reason=_DNS2)
    for server in (d for d in (args.dns1, args.dns2) if d):
        _check_address("name server", server)
    if args.gateway:
        _check_address("gateway", args.gateway)
        if ipaddress.ip_address(args.gateway) not in cidr:
            raise BadRequest(reason=f"The gateway {args.gateway} is not in {cidr}.")
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

    def work(tx: Tx) -> None:
        for other in networks.all_networks(tx):
            if other.label == network.label:
                raise Conflict(reason=f"There is a network {other.label} already.")
            if ipaddress.IPv4Network(other.cidr).overlaps(cidr):
                raise Conflict(reason=f"{cidr} overlaps {other.cidr} of network {other.label}.")
        networks.insert(tx, network)

    with opened(conf) as db:
        db.run(work)
    print(f"Network {network.label} ({network.cidr}) was made: {network.id}")
    return 0


def show_all(conf: Any, args: argparse.Namespace) -> int:
    """Print all networks."""
    with opened(conf) as db:
        found = db.read(networks.all_networks)
        used = db.read(fixed_ips.counts)
    rows = [
        {
            "id": n.id,
            "label": n.label,
            "cidr": n.cidr,
            "topology": n.topology.value,
            "bridge": n.bridge,
            "gateway": n.gateway,
            "dns": list(n.dns),
            "mtu": n.mtu,
            "multi_host": n.multi_host,
            "host": n.host,
            "project": n.project_id,
            "used": used.get(n.id, 0),
        }
        for n in found
    ]
    shown.show(args, ("id", "label", "cidr", "topology", "bridge", "dns", "host", "project", "used"), rows)
    return 0


def modify(conf: Any, args: argparse.Namespace) -> int:
    """Change a network; hosts take it over with their next look."""
    changes = _changes(args)
    if not changes:
        raise BadRequest(reason="Nothing to change was named.")

    def work(tx: Tx) -> Network:
        network = _find(tx, args.network)
        label = changes.get("label", network.label)
        if any(other.label == label and other.id != network.id for other in networks.all_networks(tx)):
            raise Conflict(reason=f"There is a network {label} already.")
        if network.multi_host and changes.get("host"):
            raise Conflict(reason=f"Every host serves network {network.label} itself.")
        changed = msgspec.structs.replace(network, **changes, updated_at=Clock().now())
        networks.update(tx, changed)
        return changed

    with opened(conf) as db:
        changed = db.run(work)
    print(f"Network {changed.label} was changed: {', '.join(sorted(changes))}.")
    return 0


def _changes(args: argparse.Namespace) -> dict[str, Any]:
    """Return the fields that a modify command names, with their values."""
    changes: dict[str, Any] = {name: getattr(args, name) for name in ("label", "mtu") if getattr(args, name)}
    if args.label is not None:
        _check_label(args.label)
    for name, field in (("host", "host"), ("project", "project_id")):
        if (value := getattr(args, name)) is not None:
            changes[field] = None if value == NONE else value
    if args.dns2 and not args.dns1:
        raise BadRequest(reason=_DNS2)
    if args.dns1 is not None:
        changes["dns"] = () if args.dns1 == NONE else tuple(d for d in (args.dns1, args.dns2) if d)
    for server in changes.get("dns", ()):
        _check_address("name server", server)
    return changes


def _check_label(label: str) -> None:
    if not 0 < len(label) <= LABEL_MOST or not label.isprintable():
        raise BadRequest(reason=f"A label has 1 to {LABEL_MOST} characters that can be printed.")


def _check_address(what: str, text: str) -> None:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        raise BadRequest(reason=f"The {what} {text} is no address.") from None


def _find(tx: Tx, named: str) -> Network:
    for network in networks.all_networks(tx):
        if named in (network.id, network.label):
            return network
    raise NotFound(what="Network", id=named)


def delete(conf: Any, args: argparse.Namespace) -> int:
    """Drop a network."""

    def work(tx: Tx) -> Network:
        network = _find(tx, args.network)
        if any(ip.instance_id for ip in fixed_ips.of_networks(tx, [network.id])):
            raise Conflict(reason=f"Instances have addresses of network {network.label}.")
        networks.delete(tx, network.id)
        return network

    with opened(conf) as db:
        gone = db.run(work)
    print(f"Network {gone.label} is gone.")
    return 0
