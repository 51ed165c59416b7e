"""What schedulers must know of the hosts: everything once, then what changed.

Two counters live in ``feeds``: ``hosts`` (see :mod:`nova.db.hosts`) and ``aggregates``.  A row
``networks`` stays at 0: it is the lock of those who make networks (:mod:`nova.db.networks`).
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable

import msgspec
import sqlalchemy as sa

from nova.db import aggregates
from nova.db.batch import Insert
from nova.db.engine import Database, Tx, again
from nova.db.hosts import NODES, N
from nova.db.schema import BIG, WORD, arg, moment, needed, table
from nova.db.services import SERVICES, S
from nova.db.statements import Statement
from nova.objects.host import Aggregate, HostInventory, HostSnapshot, HostView
from nova.objects.ids import AggregateId, HostName

FEEDS = table("feeds", sa.Column("name", WORD, primary_key=True), needed("position", BIG))
E = FEEDS.c
_MAKE = Insert(FEEDS, ("name", "position"), if_missing=True)
_NEXT = Statement(sa.update(FEEDS).values(position=E.position + 1).where(E.name == "hosts"))
_SET_AGGREGATES = Statement(
    sa.update(FEEDS).values(position=arg("position", BIG)).where(E.name == "aggregates")
)
_POSITIONS = Statement(sa.select(E.name, E.position))
_DIRTY = Statement(sa.select(N.number).where(N.position == 0).limit(1))
_NUMBER = Statement(sa.update(NODES).values(position=arg("position", BIG)).where(N.position == 0))
_CHANGED = Statement(
    sa.select(
        N.host, N.node, N.inventory, N.used_vcpus, N.used_ram_mb, N.used_disk_gb, N.instances, N.io_ops,
        N.generation, N.failed_builds, N.gone, S.disabled, S.forced_down, S.seen_at,
    )
    .select_from(NODES.outerjoin(SERVICES, sa.and_(S.binary == "nova-compute", S.host == N.host)))
    .where(sa.or_(N.position > arg("since", BIG), N.position == 0))
    .order_by(N.number)
)  # fmt: skip
_decode = msgspec.json.Decoder(HostInventory).decode


Lives = Callable[[HostName, datetime.datetime | None], bool]
"""Judges whether the service of a host lives, which beat last at a time; none: there is no such service."""


def host_views(
    db: Database, since: int = 0, *, default_zone: str = "nova", lives: Lives = lambda *_: True
) -> HostSnapshot:
    """Return all hosts (``since`` 0) or those that changed after a position.

    A host is up if its service ``lives`` and is not forced down.  Aggregates come with the whole view, and
    whenever one of them changed.
    """
    if db.read(_is_unnumbered):
        db.run(number, settled=again)
    # Claims never wait for this: only numbering holds rows.  What is changed meanwhile is shown as it is by
    # then, and once more by the next.
    return db.read(lambda tx: _views(tx, since, default_zone, lives))


def _is_unnumbered(tx: Tx) -> bool:
    return tx.row(_DIRTY) is not None or not tx.rows(_POSITIONS)


def number(tx: Tx) -> None:
    """Give changed hosts the next position.

    The counter's row is locked to the commit, so positions are given in the order of commits.
    """
    if not tx.change(_NEXT):
        _MAKE.run(tx, [("hosts", 1), ("aggregates", 1)])
        tx.change(_NEXT)
    positions: dict[str, int] = dict(tx.rows(_POSITIONS))
    tx.change(_NUMBER, position=positions["hosts"])


def _views(tx: Tx, since: int, default_zone: str, lives: Lives) -> HostSnapshot:
    # Read before the hosts: whatever has this position or a lower one is committed, and seen.
    positions: dict[str, int] = dict(tx.rows(_POSITIONS))
    position = max(positions.values())
    groups = aggregates.all_aggregates(tx)
    zones, members = _membership(groups)
    hosts = []
    gone = []
    for row in tx.rows(_CHANGED, since=since):
        if row[10]:
            gone.append((row[0], row[1]))
            continue
        hosts.append(
            HostView(
                host=row[0],
                node=row[1],
                inventory=_decode(row[2]),
                used_vcpus=row[3],
                used_ram_mb=row[4],
                used_disk_gb=row[5],
                instances=row[6],
                io_ops=row[7],
                generation=row[8],
                failed_builds=row[9],
                up=not row[12] and lives(row[0], moment(row[13] or "")),
                enabled=not row[11],
                zone=zones.get(row[0], default_zone),
                aggregates=tuple(members.get(row[0], ())),
            )
        )
    whole = since == 0
    return HostSnapshot(
        position=position,
        hosts=tuple(hosts),
        gone=() if whole else tuple(gone),
        aggregates=tuple(groups) if whole or positions["aggregates"] > since else None,
        whole=whole,
    )


def aggregates_changed(tx: Tx) -> None:
    """Note that an aggregate changed; its hosts are to be touched as well (:func:`nova.db.hosts.touch`)."""
    if not tx.change(_NEXT):
        _MAKE.run(tx, [("hosts", 1), ("aggregates", 1)])
        tx.change(_NEXT)
    positions: dict[str, int] = dict(tx.rows(_POSITIONS))
    tx.change(_SET_AGGREGATES, position=positions["hosts"])


def _membership(groups: Iterable[Aggregate]) -> tuple[dict[str, str], dict[str, list[AggregateId]]]:
    zones: dict[str, str] = {}
    members: dict[str, list[AggregateId]] = {}
    for group in groups:
        for host in group.hosts:
            members.setdefault(host, []).append(group.id)
            if group.zone is not None:
                zones[host] = group.zone
    return zones, members
