"""Key pairs of users.  How many a user has is counted as ``key_pairs`` in :mod:`nova.db.quotas`."""

from __future__ import annotations

import sqlalchemy as sa

from nova.db.batch import Insert
from nova.db.engine import Row, Tx
from nova.db.schema import BIG, COUNT, JSON, MOMENT, NAME, WORD, arg, moment, needed, stamp, table
from nova.db.statements import Statement
from nova.objects.ids import UserId
from nova.objects.keypair import KeyPair

KEYPAIRS = table(
    "key_pairs",
    sa.Column("id", COUNT, primary_key=True, autoincrement=True),
    needed("user_id", NAME),
    needed("name", NAME),
    needed("fingerprint", NAME),
    needed("type", WORD),
    needed("created_at", MOMENT),
    needed("public_key", JSON),
    sa.UniqueConstraint("user_id", "name", name="key_pairs_names"),
)
K = KEYPAIRS.c
_COLUMNS = ("user_id", "name", "public_key", "fingerprint", "type", "created_at")
_INSERT = Insert(KEYPAIRS, _COLUMNS)
_SELECT = sa.select(*(K[name] for name in _COLUMNS), K.id)
_SHOW = Statement(_SELECT.where(K.user_id == arg("user"), K.name == arg("name")))
_LIST = Statement(
    _SELECT.where(K.user_id == arg("user"), K.name > arg("marker")).order_by(K.name).limit(arg("limit", BIG))
)
_DELETE = Statement(sa.delete(KEYPAIRS).where(K.user_id == arg("user"), K.name == arg("name")))


def insert(tx: Tx, keypair: KeyPair) -> None:
    """Store a new key pair (its ``id`` is given by the database); raises ``Duplicate``."""
    row = (
        keypair.user_id, keypair.name, keypair.public_key, keypair.fingerprint, keypair.type,
        stamp(keypair.created_at),
    )  # fmt: skip
    _INSERT.run(tx, [row])


def get(tx: Tx, user: UserId, name: str) -> KeyPair | None:
    """Return a key pair, or None."""
    row = tx.row(_SHOW, user=user, name=name)
    return _keypair(row) if row else None


def of_user(tx: Tx, user: UserId, *, marker: str = "", limit: int | None = None) -> list[KeyPair]:
    """Return the key pairs of a user by name, those after the name ``marker``."""
    most = limit if limit is not None else 1 << 31
    return [_keypair(row) for row in tx.rows(_LIST, user=user, marker=marker, limit=most)]


def delete(tx: Tx, user: UserId, name: str) -> bool:
    """Remove a key pair; False when there is none."""
    return bool(tx.change(_DELETE, user=user, name=name))


def _keypair(row: Row) -> KeyPair:
    return KeyPair(
        user_id=row[0],
        name=row[1],
        public_key=row[2],
        fingerprint=row[3],
        type=row[4],
        created_at=moment(row[5]),
        id=row[6],
    )
