"""Numbers for uuids, once given never changed: EC2 names things by eight hexadecimal digits."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from nova.db.batch import Insert
from nova.db.engine import Tx
from nova.db.schema import COUNT, UUID, WORD, arg, args, needed, table
from nova.db.statements import Statement

IDS = table(
    "ec2_ids",
    sa.Column("number", COUNT, primary_key=True, autoincrement=True),
    needed("kind", WORD),
    needed("uuid", UUID),
    sa.UniqueConstraint("kind", "uuid", name="ec2_ids_uuids"),
)
E = IDS.c
_INSERT = Insert(IDS, ("kind", "uuid"), if_missing=True)
_NUMBERS = Statement(sa.select(E.uuid, E.number).where(E.kind == arg("kind"), E.uuid.in_(args("uuids"))))
_UUIDS = Statement(sa.select(E.number, E.uuid).where(E.kind == arg("kind"), E.number.in_(args("numbers"))))


def numbers(tx: Tx, kind: str, uuids: Sequence[str]) -> dict[str, int]:
    """Return the numbers of these uuids, giving those that have none a new one.

    ``kind`` is ``instance``, ``image``, ``volume``, ``snapshot``, ...; numbers differ across kinds too.
    """
    if not uuids:
        return {}
    found: dict[str, int] = dict(tx.rows(_NUMBERS, kind=kind, uuids=uuids))
    missing = [uuid for uuid in dict.fromkeys(uuids) if uuid not in found]
    if missing:
        _INSERT.run(tx, [(kind, uuid) for uuid in missing])
        found |= dict(tx.rows(_NUMBERS, kind=kind, uuids=missing))
    return found


def known(tx: Tx, kind: str, wanted: Sequence[str]) -> dict[str, int]:
    """Return the numbers of those of the uuids that have one; changes nothing."""
    return dict(tx.rows(_NUMBERS, kind=kind, uuids=wanted)) if wanted else {}


def uuids(tx: Tx, kind: str, wanted: Sequence[int]) -> dict[int, str]:
    """Return the uuids of these numbers, as far as they were given."""
    return dict(tx.rows(_UUIDS, kind=kind, numbers=wanted)) if wanted else {}
