"""What calls that changed something were answered, so that a copy that comes later changes nothing more."""

from __future__ import annotations

import datetime

import sqlalchemy as sa

from nova import ids
from nova.db.batch import Insert
from nova.db.engine import Tx
from nova.db.schema import BIG, JSON, MOMENT, UUID, arg, args, needed, stamp, table
from nova.db.statements import Statement

ANSWERS = table(
    "call_answers",
    sa.Column("id", UUID, primary_key=True),
    needed("made_at", MOMENT),
    needed("answer", JSON),
    sa.Index("call_answers_by_age", "made_at"),
)
A = ANSWERS.c
_INSERT = Insert(ANSWERS, ("id", "made_at", "answer"))
_SHOW = Statement(sa.select(A.answer).where(A.id == arg("id")))
_OLD = Statement(sa.select(A.id).where(A.made_at <= arg("until")).order_by(A.made_at).limit(arg("most", BIG)))
_DROP = Statement(sa.delete(ANSWERS).where(A.id.in_(args("ids"))))


def _key(call_id: str) -> str:
    return ids.derived_uuid("call", call_id)


def insert(tx: Tx, call_id: str, answer: str) -> None:
    """Keep an answer, in the transaction that made the change; raises ``Duplicate`` for a copy."""
    _INSERT.run(tx, [(_key(call_id), stamp(tx.now), answer)])


def get(tx: Tx, call_id: str) -> str | None:
    """Return what a call was answered; None when it changed nothing yet."""
    row = tx.row(_SHOW, id=_key(call_id))
    return row[0] if row else None


def expire(tx: Tx, age_s: float, most: int) -> int:
    """Forget the oldest answers of at least such an age, at most so many; return how many that were."""
    until = stamp(tx.now - datetime.timedelta(seconds=age_s))
    found = [row[0] for row in tx.rows(_OLD, until=until, most=most)]
    return tx.change(_DROP, ids=found) if found else 0
