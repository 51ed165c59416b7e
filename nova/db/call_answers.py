"""What calls that change something were answered, so that a copy that comes later changes nothing more.

A refusal is an answer, too: what was refused is not done by a copy.
"""

from __future__ import annotations

import datetime

import msgspec
import sqlalchemy as sa

from nova import ids
from nova.db.batch import Insert
from nova.db.engine import Tx
from nova.db.schema import BIG, FLAG, JSON, MOMENT, UUID, arg, args, needed, stamp, table
from nova.db.statements import Statement

ANSWERS = table(
    "call_answers",
    sa.Column("id", UUID, primary_key=True),
    needed("made_at", MOMENT),
    needed("answer", JSON),
    needed("refused", FLAG, server_default="0"),
    sa.Index("call_answers_by_age", "made_at"),
)
A = ANSWERS.c
_INSERT = Insert(ANSWERS, ("id", "made_at", "answer", "refused"))
_SHOW = Statement(sa.select(A.answer, A.refused).where(A.id == arg("id")))
_OLD = Statement(sa.select(A.id).where(A.made_at <= arg("until")).order_by(A.made_at).limit(arg("most", BIG)))
_DROP = Statement(sa.delete(ANSWERS).where(A.id.in_(args("ids"))))


class Kept(msgspec.Struct, frozen=True):
    """An answer, as JSON: a value, or the error of a refusal."""

    answer: str
    refused: bool


def _key(call_id: str) -> str:
    return ids.derived_uuid("call", call_id)


def insert(tx: Tx, call_id: str, answer: str, *, refused: bool = False) -> None:
    """Keep an answer in the transaction that makes the change, or a refusal in one of its own.

    Raises ``Duplicate`` when a copy was answered before.
    """
    _INSERT.run(tx, [(_key(call_id), stamp(tx.now), answer, int(refused))])


def get(tx: Tx, call_id: str) -> Kept | None:
    """Return what a call was answered; None when it was not answered yet."""
    row = tx.row(_SHOW, id=_key(call_id))
    return Kept(row[0], bool(row[1])) if row else None


def expire(tx: Tx, age_s: float, most: int) -> int:
    """Forget the oldest answers of at least such an age, at most so many; return how many that were."""
    until = stamp(tx.now - datetime.timedelta(seconds=age_s))
    found = [row[0] for row in tx.rows(_OLD, until=until, most=most)]
    return tx.change(_DROP, ids=found) if found else 0
