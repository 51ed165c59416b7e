"""Aggregates of hosts; one with ``availability_zone`` in its metadata is a zone."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import sqlalchemy as sa

from nova.db.batch import Insert
from nova.db.engine import Row, TryAgain, Tx
from nova.db.schema import BIG, COUNT, JSON, MOMENT, NAME, UUID, arg, moment, needed, stamp, table
from nova.db.statements import Statement
from nova.objects.host import Aggregate
from nova.objects.ids import AggregateId

AGGREGATES = table(
    "aggregates",
    sa.Column("id", COUNT, primary_key=True, autoincrement=True),
    needed("uuid", UUID, unique=True),
    needed("name", NAME, unique=True),
    needed("revision", BIG),
    needed("created_at", MOMENT),
    needed("updated_at", MOMENT),
    needed("hosts", JSON),
    needed("metadata", JSON),
)
G = AGGREGATES.c
_INSERT = Insert(AGGREGATES, ("uuid", "name", "revision", "created_at", "updated_at", "hosts", "metadata"))
_SELECT = sa.select(G.id, G.uuid, G.name, G.hosts, G.metadata, G.created_at, G.updated_at, G.revision)
_LIST = Statement(_SELECT.order_by(G.id))
_SHOW = Statement(_SELECT.where(G.id == arg("id")))
_BY_UUID = Statement(_SELECT.where(G.uuid == arg("uuid")))
_UPDATE = Statement(
    sa.update(AGGREGATES)
    .values(
        name=arg("name"),
        hosts=arg("hosts"),
        metadata=arg("metadata"),
        updated_at=arg("now"),
        revision=G.revision + 1,
    )
    .where(G.id == arg("id"), G.revision == arg("revision"))
)
_DELETE = Statement(sa.delete(AGGREGATES).where(G.id == arg("id")))
_encode = msgspec.json.Encoder().encode
_hosts = msgspec.json.Decoder(tuple[str, ...]).decode
_metadata = msgspec.json.Decoder(dict[str, str]).decode


def insert(tx: Tx, aggregate: Aggregate) -> Aggregate:
    """Store a new aggregate and return it with its number; raises ``Duplicate`` when the name is taken."""
    hosts, metadata = _encode(aggregate.hosts).decode(), _encode(aggregate.metadata).decode()
    created = stamp(aggregate.created_at)
    _INSERT.run(tx, [(aggregate.uuid, aggregate.name, 0, created, "", hosts, metadata)])
    row = tx.row(_BY_UUID, uuid=aggregate.uuid)
    assert row is not None
    return _aggregate(row)


def all_aggregates(tx: Tx) -> list[Aggregate]:
    """Return every aggregate, by number."""
    return [_aggregate(row) for row in tx.rows(_LIST)]


def get(tx: Tx, aggregate_id: AggregateId) -> Aggregate | None:
    """Return an aggregate, or None."""
    row = tx.row(_SHOW, id=aggregate_id)
    return _aggregate(row) if row else None


def edit(tx: Tx, aggregate_id: AggregateId, change: Callable[[Aggregate], Aggregate]) -> Aggregate | None:
    """Change name, hosts or metadata; ``change`` may refuse by raising.  None: there is no such aggregate."""
    row = tx.row(_SHOW, id=aggregate_id)
    if row is None:
        return None
    after = change(_aggregate(row))
    done = tx.change(
        _UPDATE,
        id=aggregate_id,
        revision=row[7],
        name=after.name,
        hosts=_encode(after.hosts).decode(),
        metadata=_encode(after.metadata).decode(),
        now=stamp(tx.now),
    )
    if not done:
        raise TryAgain()
    return msgspec.structs.replace(after, updated_at=tx.now)


def delete(tx: Tx, aggregate_id: AggregateId) -> bool:
    """Remove an aggregate; False when there is none."""
    return bool(tx.change(_DELETE, id=aggregate_id))


def _aggregate(row: Row) -> Aggregate:
    return Aggregate(
        id=row[0],
        uuid=row[1],
        name=row[2],
        hosts=_hosts(row[3]),  # type: ignore[arg-type]
        metadata=_metadata(row[4]),
        created_at=moment(row[5]),
        updated_at=moment(row[6]),
    )
