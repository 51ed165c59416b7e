"""Conductors that own workflows, and the beats by which the others judge that they live."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from nova.db.batch import Insert
from nova.db.engine import Tx
from nova.db.schema import BIG, MOMENT, NAME, UUID, arg, args, needed, stamp, table
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
_LIST = Statement(sa.select(O.id, O.host, O.beats).order_by(O.id))
_FORGET = Statement(sa.delete(OWNERS).where(O.id.in_(args("ids"))))


class Owner(msgspec.Struct, frozen=True):
    """A conductor process; ``beats`` grows while it lives."""

    id: str
    host: str
    beats: int


def appear(tx: Tx, owner: str, host: str, now: datetime.datetime) -> None:
    """Make a conductor process known. Idempotent."""
    _INSERT.run(tx, [(owner, host, 1, stamp(now))])


def beat(tx: Tx, owner: str, now: datetime.datetime) -> bool:
    """Say that an owner lives; False when it was forgotten: then it owns nothing any more."""
    return bool(tx.change(_BEAT, id=owner, now=stamp(now)))


def all_owners(tx: Tx) -> list[Owner]:
    """Return all owners that are known."""
    return [Owner(*row) for row in tx.rows(_LIST)]


def forget(tx: Tx, owners: Sequence[str]) -> None:
    """Remove owners that are dead and whose workflows were taken. Idempotent."""
    if owners:
        tx.change(_FORGET, ids=owners)
