"""Networks of the operator."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection

import msgspec
import sqlalchemy as sa

from nova.db.batch import Insert
from nova.db.engine import Tx
from nova.db.host_feed import FEEDS
from nova.db.schema import BIG, JSON, NAME, UUID, arg, args, needed, table
from nova.db.statements import Statement
from nova.objects.ids import HostName, NetworkId, ProjectId
from nova.objects.network import Network

NETWORKS = table(
    "networks",
    sa.Column("id", UUID, primary_key=True),
    needed("label", NAME),
    needed("project_id", NAME),
    needed("host", NAME),
    needed("first", BIG),
    needed("last", BIG),
    needed("cursor", BIG),
    needed("body", JSON),
    sa.Index("networks_of_project", "project_id"),
)
"""``first`` and ``last`` bound the addresses that may be given out; ``cursor`` is the next to try."""
N = NETWORKS.c
_INSERT = Insert(NETWORKS, ("id", "label", "project_id", "host", "first", "last", "cursor", "body"))
_SHOW = Statement(sa.select(N.body).where(N.id.in_(args("ids"))))
_LIST = Statement(sa.select(N.body).order_by(N.label, N.id))
_USABLE = Statement(sa.select(N.body).where(N.project_id.in_(args("projects"))).order_by(N.label, N.id))
_UPDATE = Statement(
    sa.update(NETWORKS)
    .values(label=arg("label"), project_id=arg("project_id"), host=arg("host"), body=arg("body"))
    .where(N.id == arg("id"))
)
_DELETE = Statement(sa.delete(NETWORKS).where(N.id == arg("id")))
_HOLD = Statement(sa.update(FEEDS).values(position=FEEDS.c.position).where(FEEDS.c.name == "networks"))
_MAKE_GATE = Insert(FEEDS, ("name", "position"), if_missing=True)
decode = msgspec.json.Decoder(Network).decode
_encode = msgspec.json.Encoder().encode


def bounds(network: Network) -> tuple[int, int]:
    """Return the first and the last IPv4 address that may be given out, as numbers."""
    cidr = ipaddress.IPv4Network(network.cidr)
    edge = 1 if cidr.prefixlen < 31 else 0
    first, last = int(cidr.network_address) + edge, int(cidr.broadcast_address) - edge
    if network.dhcp_start:
        first = max(first, int(ipaddress.IPv4Address(network.dhcp_start)))
    return first, last


def insert(tx: Tx, network: Network) -> None:
    """Store a new network; :mod:`nova.db.fixed_ips` keeps its gateway and DHCP server from guests."""
    first, last = bounds(network)
    body = _encode(network).decode()
    row = (network.id, network.label, network.project_id or "", network.host or "", first, last, first, body)
    _INSERT.run(tx, [row])


def update(tx: Tx, network: Network) -> bool:
    """Write a network whole (its range stays what it was); False when there is none."""
    return bool(
        tx.change(
            _UPDATE,
            id=network.id,
            label=network.label,
            project_id=network.project_id or "",
            host=network.host or "",
            body=_encode(network).decode(),
        )
    )


def hold_all(tx: Tx) -> None:
    """Let nobody else decide on labels and ranges until the commit."""
    if not tx.change(_HOLD):
        _MAKE_GATE.run(tx, [("networks", 0)])
        tx.change(_HOLD)


def delete(tx: Tx, network_id: NetworkId) -> bool:
    """Remove a network; False when there is none."""
    return bool(tx.change(_DELETE, id=network_id))


def get(tx: Tx, network_id: NetworkId) -> Network | None:
    """Return a network, or None."""
    row = tx.row(_SHOW, ids=[network_id])
    return decode(row[0]) if row else None


def get_many(tx: Tx, wanted: Collection[NetworkId]) -> dict[NetworkId, Network]:
    """Return those of the networks that exist."""
    found = [decode(body) for (body,) in tx.rows(_SHOW, ids=sorted(wanted))] if wanted else []
    return {network.id: network for network in found}


def all_networks(tx: Tx) -> list[Network]:
    """Return every network, by label."""
    return [decode(body) for (body,) in tx.rows(_LIST)]


def usable_by(tx: Tx, project: ProjectId) -> list[Network]:
    """Return the networks that a project may use: the open ones and its own, by label."""
    return [decode(body) for (body,) in tx.rows(_USABLE, projects=["", project])]


_TAKE = Statement(
    sa.update(NETWORKS).values(host=arg("host"), body=arg("body")).where(N.id == arg("id"), N.host == "")
)


def take(tx: Tx, network: Network, host: HostName) -> bool:
    """Let a host serve a network that nobody serves; False when somebody was faster."""
    taken = msgspec.structs.replace(network, host=host)
    return bool(tx.change(_TAKE, id=network.id, host=host, body=_encode(taken).decode()))


def served_by(tx: Tx, host: HostName) -> list[Network]:
    """Return the networks that the nova-network of a host serves."""
    return [n for n in all_networks(tx) if n.multi_host or n.host in {None, host}]
