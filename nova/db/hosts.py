"""Compute nodes: what they have, what is claimed of them, and the feed of changes for schedulers.

A claim is a conditional UPDATE against the node's capacity (``(total - reserved) * ratio``), so however many
race, nothing is ever over-committed.  Each claim leaves an allocation row; releasing takes it away, so that
books can be balanced and releasing twice does nothing.

Every change of a node sets its ``position`` to 0.  Whoever reads the feed first gives the changed rows the
next position: that happens after they are committed, so no reader can miss one, and claims need no common
counter that would make them wait for each other.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from nova import ids
from nova.db.batch import Insert, Update
from nova.db.engine import Row, TryAgain, Tx
from nova.db.schema import BIG, COUNT, FLAG, JSON, MOMENT, NAME, UUID, arg, args, moment, needed, stamp, table
from nova.db.statements import Statement
from nova.objects.host import HostInventory, Hypervisor
from nova.objects.ids import HostName, InstanceId, NodeName

NODES = table(
    "compute_nodes",
    sa.Column("number", COUNT, primary_key=True, autoincrement=True),
    needed("id", UUID, unique=True),
    needed("host", NAME),
    needed("node", NAME),
    needed("max_vcpus", BIG),
    needed("max_ram_mb", BIG),
    needed("max_disk_gb", BIG),
    needed("used_vcpus", BIG),
    needed("used_ram_mb", BIG),
    needed("used_disk_gb", BIG),
    needed("instances", COUNT),
    needed("io_ops", COUNT),
    needed("failed_builds", COUNT),
    needed("generation", BIG),
    needed("position", BIG),
    needed("gone", FLAG),
    needed("stamp", UUID),
    needed("updated_at", MOMENT),
    needed("inventory", JSON),
    sa.UniqueConstraint("host", "node", name="compute_nodes_names"),
    sa.Index("compute_nodes_feed", "position"),
)
ALLOCATIONS = table(
    "allocations",
    sa.Column("instance_id", UUID, primary_key=True),
    sa.Column("host", NAME, primary_key=True),
    sa.Column("node", NAME, primary_key=True),
    needed("vcpus", BIG),
    needed("ram_mb", BIG),
    needed("disk_gb", BIG),
    sa.Index("allocations_of_host", "host", "node"),
)
N, A = NODES.c, ALLOCATIONS.c
_USED = ("used_vcpus", "used_ram_mb", "used_disk_gb")


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """What one instance takes of one node; ``forced`` takes it whether it fits or not."""

    instance_id: InstanceId
    host: HostName
    node: NodeName
    vcpus: int
    ram_mb: int
    disk_gb: int
    forced: bool = False


class Allocation(msgspec.Struct, frozen=True):
    """What an instance holds of a node."""

    instance_id: InstanceId
    host: HostName
    node: NodeName
    vcpus: int
    ram_mb: int
    disk_gb: int


def capacity(inventory: HostInventory) -> tuple[int, int, int]:
    """Return how many vCPUs, MB of RAM and GB of disk may be claimed of a node."""
    return (
        max(0, int((inventory.vcpus - inventory.reserved_vcpus) * inventory.cpu_ratio)),
        max(0, int((inventory.ram_mb - inventory.reserved_ram_mb) * inventory.ram_ratio)),
        max(0, int((inventory.disk_gb - inventory.reserved_disk_gb) * inventory.disk_ratio)),
    )


_ROOM = " AND ".join(f"(v.{used} = 0 OR t.{used} + v.{used} <= t.max_{used[5:]})" for used in _USED)
_CLAIM = Update(
    NODES,
    key="host",
    matches=("node",),
    adds=(*_USED, "instances"),
    given=(("forced", FLAG),),
    always=(("stamp", "?"), ("generation", "t.generation + 1"), ("position", "0")),
    where=f"t.gone = 0 AND (v.forced = 1 OR ({_ROOM}))",
)
_CLAIM_ONE = Statement(
    sa.update(NODES)
    .values({name: N[name] + arg(name) for name in _USED})
    .values(instances=N.instances + 1, generation=N.generation + 1, position=0)
    .where(N.host == arg("host"), N.node == arg("node"), N.gone == 0)
    .where(
        sa.or_(
            arg("forced", FLAG) == 1,
            sa.and_(
                *(
                    sa.or_(arg(name, BIG) == 0, N[name] + arg(name, BIG) <= N[f"max_{name[5:]}"])
                    for name in _USED
                )
            ),
        )
    )
)
_STAMPED = Statement(sa.select(N.host, N.node).where(N.host.in_(args("hosts")), N.stamp == arg("stamp")))
_HELD = Statement(
    sa.select(A.instance_id, A.host, A.node, A.vcpus, A.ram_mb, A.disk_gb).where(
        A.instance_id.in_(args("ids"))
    )
)
_ALLOCATE = Insert(ALLOCATIONS, ("instance_id", "host", "node", "vcpus", "ram_mb", "disk_gb"))


def claim(tx: Tx, claims: Sequence[Claim], *, first_time: bool = False) -> set[InstanceId]:
    """Claim what fits; return the instances that hold their claim now.

    A claim that is held already counts as won, so claiming twice is claiming once.  ``first_time`` promises
    that none is (and saves a statement).  Many claims on many nodes are one UPDATE; only where the claims on
    a node do not all fit are they tried one by one, in order.
    """
    won: set[InstanceId] = set()
    if not first_time:
        held = {(a.instance_id, a.host, a.node) for a in allocations(tx, [c.instance_id for c in claims])}
        won = {c.instance_id for c in claims if (c.instance_id, c.host, c.node) in held}
    todo = [c for c in claims if c.instance_id not in won]
    if len(todo) == 1:
        taken = todo if _claim_one(tx, todo[0]) else []
    else:
        taken = _claim_many(tx, todo)
    if taken:
        rows = [(c.instance_id, c.host, c.node, c.vcpus, c.ram_mb, c.disk_gb) for c in taken]
        _ALLOCATE.run(tx, rows)
    return won | {c.instance_id for c in taken}


def _claim_one(tx: Tx, one: Claim) -> bool:
    return bool(
        tx.change(
            _CLAIM_ONE,
            host=one.host,
            node=one.node,
            used_vcpus=one.vcpus,
            used_ram_mb=one.ram_mb,
            used_disk_gb=one.disk_gb,
            forced=int(one.forced),
        )
    )


def _claim_many(tx: Tx, claims: Sequence[Claim]) -> list[Claim]:
    by_node: dict[tuple[str, str], list[Claim]] = {}
    for one in claims:
        by_node.setdefault((one.host, one.node), []).append(one)
    rows = [
        (
            host,
            node,
            sum(c.vcpus for c in group),
            sum(c.ram_mb for c in group),
            sum(c.disk_gb for c in group),
            len(group),
            int(all(c.forced for c in group)),
        )
        for (host, node), group in sorted(by_node.items())
    ]
    if not rows:
        return []
    token = ids.new_uuid()
    matched = _CLAIM.run(tx, rows, extra=(token,))
    nodes = set(by_node)
    if matched < len(rows):
        nodes = (
            set(tx.rows(_STAMPED, hosts=sorted({host for host, _ in by_node}), stamp=token))
            if matched
            else set()
        )
    taken = []
    for key, group in sorted(by_node.items()):
        if key in nodes:
            taken.extend(group)
        elif len(group) > 1:
            taken.extend(c for c in group if _claim_one(tx, c))
    return taken


def allocations(tx: Tx, instances: Sequence[InstanceId]) -> list[Allocation]:
    """Return what these instances hold."""
    return [Allocation(*row) for row in tx.rows(_HELD, ids=instances)] if instances else []


_RELEASE = Statement(
    sa.delete(ALLOCATIONS).where(
        A.instance_id.in_(args("ids")), sa.or_(arg("host", NAME) == "", A.host == arg("host", NAME))
    )
)
_GIVE_BACK = Update(
    NODES,
    key="host",
    matches=("node",),
    adds=(*_USED, "instances"),
    always=(("generation", "t.generation + 1"), ("position", "0")),
)


def release(tx: Tx, instances: Sequence[InstanceId], host: HostName | None = None) -> list[Allocation]:
    """Give back what these instances hold (on one host only, if named); return what that was."""
    held = [a for a in allocations(tx, instances) if host is None or a.host == host]
    if not held:
        return []
    if tx.change(_RELEASE, ids=sorted({a.instance_id for a in held}), host=host or "") != len(held):
        raise TryAgain()  # somebody released some of them just now
    sums: dict[tuple[str, str], list[int]] = {}
    for a in held:
        total = sums.setdefault((a.host, a.node), [0, 0, 0, 0])
        for i, n in enumerate((a.vcpus, a.ram_mb, a.disk_gb, 1)):
            total[i] -= n
    _GIVE_BACK.run(tx, [(*key, *total) for key, total in sorted(sums.items())])
    return held


_ADJUST = Update(
    NODES, key="host", matches=("node",), adds=("io_ops", "failed_builds"), always=(("position", "0"),)
)


def adjust(tx: Tx, changes: Sequence[tuple[HostName, NodeName, int, int]]) -> None:
    """Add to the counts of operations under way and of failed builds: (host, node, io_ops, failed_builds)."""
    sums: dict[tuple[str, str], tuple[int, int]] = {}
    for host, node, io_ops, failed in changes:
        before = sums.get((host, node), (0, 0))
        sums[host, node] = (before[0] + io_ops, before[1] + failed)
    if sums:
        _ADJUST.run(tx, [(*key, *change) for key, change in sorted(sums.items())])


_NODE_COLUMNS = (
    N.id,
    N.number,
    N.inventory,
    N.used_vcpus,
    N.used_ram_mb,
    N.used_disk_gb,
    N.instances,
    N.io_ops,
    N.generation,
    N.updated_at,
)
_KNOWN = Statement(sa.select(N.host, N.node, N.inventory, N.gone).where(N.host.in_(args("hosts"))))
_NEW = Insert(
    NODES,
    (
        "id", "host", "node", "max_vcpus", "max_ram_mb", "max_disk_gb", *_USED, "instances", "io_ops",
        "failed_builds", "generation", "position", "gone", "stamp", "updated_at", "inventory",
    ),
    if_missing=True,
)  # fmt: skip
_REPORT = Update(
    NODES,
    key="host",
    matches=("node",),
    sets=("max_vcpus", "max_ram_mb", "max_disk_gb", "inventory", "gone", "updated_at"),
    always=(("generation", "t.generation + 1"), ("position", "0")),
)

_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(HostInventory).decode


def report(tx: Tx, inventories: Sequence[HostInventory]) -> int:
    """Keep what agents report of their nodes; return how many are new or changed.

    A report that says nothing new writes nothing.
    """
    latest = {(i.host, i.node): i for i in inventories}
    if not latest:
        return 0
    stored = {(r[0], r[1]): (r[2], r[3]) for r in tx.rows(_KNOWN, hosts=sorted({h for h, _ in latest}))}
    new: list[Row] = []
    changed: list[Row] = []
    for (host, node), inventory in sorted(latest.items()):
        json = _encode(inventory).decode()
        known = stored.get((host, node))
        if known is None:
            row = (ids.new_uuid(), host, node, *capacity(inventory), *([0] * 8), 0, "", stamp(tx.now), json)
            new.append(row)
        elif known != (json, 0):
            changed.append((host, node, *capacity(inventory), json, 0, stamp(tx.now)))
    if new:
        _NEW.run(tx, new)
    if changed:
        _REPORT.run(tx, changed)
    return len(new) + len(changed)


_LIST = Statement(sa.select(*_NODE_COLUMNS).where(N.gone == 0).order_by(N.number))
_OF_HOSTS = Statement(
    sa.select(*_NODE_COLUMNS).where(N.gone == 0, N.host.in_(args("hosts"))).order_by(N.number)
)
_REMOVE = Statement(
    sa.update(NODES)
    .values(gone=1, position=0)
    .where(N.host == arg("host"), sa.or_(arg("node", NAME) == "", N.node == arg("node", NAME)), N.gone == 0)
)


def hypervisors(tx: Tx, hosts: Sequence[HostName] | None = None) -> list[Hypervisor]:
    """Return the nodes (of some hosts, or all), by number, without their services."""
    if hosts is None:
        return [_hypervisor(row) for row in tx.rows(_LIST)]
    return [_hypervisor(row) for row in tx.rows(_OF_HOSTS, hosts=hosts)] if hosts else []


def _hypervisor(row: Row) -> Hypervisor:
    return Hypervisor(
        id=row[0],
        number=row[1],
        inventory=_decode(row[2]),
        used_vcpus=row[3],
        used_ram_mb=row[4],
        used_disk_gb=row[5],
        instances=row[6],
        io_ops=row[7],
        generation=row[8],
        updated_at=moment(row[9]),
    )


def remove(tx: Tx, host: HostName, node: NodeName | None = None) -> bool:
    """Take a node (or all of a host) out; tells whether there was one.  A later report brings it back."""
    return bool(tx.change(_REMOVE, host=host, node=node or ""))


_TOUCH = Statement(sa.update(NODES).values(position=0).where(N.host.in_(args("hosts"))))


def touch(tx: Tx, hosts: Sequence[HostName]) -> None:
    """Tell the feed that something else about these hosts changed (service, aggregate)."""
    if hosts:
        tx.change(_TOUCH, hosts=hosts)


_BOOKS = Statement(
    sa.select(
        A.host, A.node, sa.func.sum(A.vcpus), sa.func.sum(A.ram_mb), sa.func.sum(A.disk_gb), sa.func.count()
    ).group_by(A.host, A.node)
)
_BOOKED = Statement(
    sa.select(N.host, N.node, *(N[name] for name in _USED), N.instances).order_by(N.host, N.node)
)


def books(tx: Tx) -> list[tuple[HostName, NodeName, tuple[int, ...], tuple[int, ...]]]:
    """Return for each node what is booked and what its allocations sum up to: vCPUs, RAM, disk, instances."""
    real = {(r[0], r[1]): tuple(int(n) for n in r[2:]) for r in tx.rows(_BOOKS)}
    return [(r[0], r[1], tuple(r[2:]), real.get((r[0], r[1]), (0, 0, 0, 0))) for r in tx.rows(_BOOKED)]
