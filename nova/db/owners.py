"""Conductors that own workflows, and the beats by which the others judge that they live."""

from __future__ import annotations

import datetime

import sqlalchemy as sa

from nova.db.batch import Insert
from nova.db.engine import Tx
from nova.db.schema import BIG, MOMENT, NAME, SECONDS, UUID, arg, moment, needed, stamp, table
from nova.db.statements import Statement

OWNERS = table(
    "owners",
    sa.Column("id", UUID, primary_key=True),
    needed("host", NAME),
    needed("beats", BIG),
    needed("seen_at", MOMENT),
    needed("leapt_s", SECONDS, server_default="0"),
)
O = OWNERS.c  # noqa: E741
_INSERT = Insert(OWNERS, ("id", "host", "beats", "seen_at", "leapt_s"), if_missing=True)
_BEAT = Statement(
    sa.update(OWNERS)
    .values(beats=O.beats + 1, seen_at=arg("now"), leapt_s=arg("leapt_s", SECONDS))
    .where(O.id == arg("id"))
)
_LIST = Statement(sa.select(O.id, O.beats).order_by(O.id))
_CLOCKS = Statement(sa.select(sa.func.max(O.seen_at), sa.func.max(O.leapt_s)))
_DROP = Statement(sa.delete(OWNERS).where(O.id == arg("id")))


def beat(tx: Tx, owner: str, host: str, leapt_s: float = 0.0) -> None:
    """Say that an owner lives; one that is new, or was dropped, becomes known.

    ``leapt_s``: by how much it saw its wall clock be set, at most.
    """
    if not beat_known(tx, owner, leapt_s):
        _INSERT.run(tx, [(owner, host, 1, stamp(tx.now), leapt_s)])


def beat_known(tx: Tx, owner: str, leapt_s: float = 0.0) -> bool:
    """Say the same in one statement; false when the owner is not known."""
    return tx.change(_BEAT, id=owner, now=stamp(tx.now), leapt_s=leapt_s) == 1


def all(tx: Tx) -> list[tuple[str, int]]:
    """Return all known owners, each with its beats, which grow while it lives."""
    return [(row[0], row[1]) for row in tx.rows(_LIST)]


def clocks(tx: Tx) -> tuple[datetime.datetime, float]:
    """Return what time it is where the conductors are, and by how much their clocks were set, at most."""
    row = tx.row(_CLOCKS)
    return (moment(row[0] or "") or tx.now, row[1] or 0.0) if row else (tx.now, 0.0)


def drop(tx: Tx, owner: str) -> None:
    """Remove an owner that is dead and whose workflows were taken. Idempotent."""
    tx.change(_DROP, id=owner)
