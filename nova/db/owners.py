"""Conductors that own workflows, and the beats by which the others judge that they live."""

from __future__ import annotations

import sqlalchemy as sa

from nova.db.batch import Insert
from nova.db.engine import Tx
from nova.db.schema import BIG, MOMENT, NAME, UUID, arg, needed, stamp, table
from nova.db.statements import Statement

OWNERS = table(
    "owners",
    sa.Column("id", UUID, primary_key=True),
    needed("host", NAME),
    needed("beats", BIG),
    needed("seen_at", MOMENT),
)
O = OWNERS.c  # noqa: E741
_INSERT = Insert(OWNERS, ("id", "host", "beats", "seen_at"), if_missing=True)
_BEAT = Statement(sa.update(OWNERS).values(beats=O.beats + 1, seen_at=arg("now")).where(O.id == arg("id")))
_LIST = Statement(sa.select(O.id, O.beats).order_by(O.id))
_DROP = Statement(sa.delete(OWNERS).where(O.id == arg("id")))


def beat(tx: Tx, owner: str, host: str) -> None:
    """Say that an owner lives; one that is new, or was dropped, becomes known."""
    if not tx.change(_BEAT, id=owner, now=stamp(tx.now)):
        _INSERT.run(tx, [(owner, host, 1, stamp(tx.now))])


def all(tx: Tx) -> list[tuple[str, int]]:
    """Return all known owners, each with its beats, which grow while it lives."""
    return [(row[0], row[1]) for row in tx.rows(_LIST)]


def drop(tx: Tx, owner: str) -> None:
    """Remove an owner that is dead and whose workflows were taken. Idempotent."""
    tx.change(_DROP, id=owner)
