"""The passwords that guests tell of themselves, encrypted for their users; each guest tells one, once."""

from __future__ import annotations

import sqlalchemy as sa

from nova.db.batch import Insert
from nova.db.engine import Tx
from nova.db.schema import JSON, UUID, arg, needed, table
from nova.db.statements import Statement
from nova.objects.ids import InstanceId

PASSWORDS = table(
    "guest_passwords",
    sa.Column("instance_id", UUID, primary_key=True),
    needed("password", JSON),
)
P = PASSWORDS.c
_INSERT = Insert(PASSWORDS, ("instance_id", "password"))
_SHOW = Statement(sa.select(P.password).where(P.instance_id == arg("id")))
_CLEAR = Statement(sa.delete(PASSWORDS).where(P.instance_id == arg("id")))


def insert(tx: Tx, instance: InstanceId, password: str) -> None:
    """Keep a password; raises ``Duplicate`` when there is one."""
    _INSERT.run(tx, [(instance, password)])


def get(tx: Tx, instance: InstanceId) -> str:
    """Return the password of a guest; empty when it told none."""
    row = tx.row(_SHOW, id=instance)
    return row[0] if row else ""


def clear(tx: Tx, instance: InstanceId) -> bool:
    """Forget a password; False when there was none.  The guest may tell another then."""
    return bool(tx.change(_CLEAR, id=instance))
