"""Console tokens: only their hashes are kept."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Sequence

import sqlalchemy as sa

from nova.db.batch import Insert
from nova.db.engine import Tx
from nova.db.schema import (
    BIG,
    COUNT,
    MOMENT,
    NAME,
    UUID,
    WORD,
    arg,
    args,
    moment_of,
    needed,
    stamp,
    table,
    text,
)
from nova.db.statements import Statement
from nova.objects.console import ConsoleAuthorization
from nova.objects.ids import InstanceId

TOKENS = table(
    "console_tokens",
    sa.Column("hash", text(64), primary_key=True),
    needed("instance_id", UUID),
    needed("protocol", WORD),
    needed("type", WORD),
    needed("host", NAME),
    needed("port", COUNT),
    needed("internal_path", NAME),
    needed("expires_at", MOMENT),
    sa.Index("console_tokens_of_instance", "instance_id"),
    sa.Index("console_tokens_by_end", "expires_at"),
)
C = TOKENS.c
_COLUMNS = ("hash", "instance_id", "protocol", "type", "host", "port", "internal_path", "expires_at")
_INSERT = Insert(TOKENS, _COLUMNS)
_SHOW = Statement(sa.select(*(C[name] for name in _COLUMNS)).where(C.hash == arg("hash")))
_FORGET = Statement(sa.delete(TOKENS).where(C.instance_id.in_(args("ids"))))
_FORGET_ONE = Statement(sa.delete(TOKENS).where(C.hash == arg("hash")))
_OVER = Statement(
    sa.select(C.hash).where(C.expires_at <= arg("now")).order_by(C.expires_at).limit(arg("most", BIG))
)
_FORGET_SOME = Statement(sa.delete(TOKENS).where(C.hash.in_(args("hashes"))))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def insert(tx: Tx, token: str, access: ConsoleAuthorization) -> None:
    """Keep a new token, valid for ``access.expires_in_s`` seconds."""
    end = tx.now + datetime.timedelta(seconds=access.expires_in_s)
    row = (
        _hash(token), access.instance_id, access.protocol, access.type, access.host, access.port,
        access.internal_path or "", stamp(end),
    )  # fmt: skip
    _INSERT.run(tx, [row])


def get(tx: Tx, token: str, lasts_s: float) -> ConsoleAuthorization | None:
    """Return what a token stands for; None when it is unknown or over.

    ``lasts_s``: how long tokens last.  One that is older by the clock of whoever asks is over, and none ends
    because that clock was set.
    """
    row = tx.row(_SHOW, hash=_hash(token))
    if row is None:
        return None
    left_s = lasts_s - tx.age_s(moment_of(row[7]) - datetime.timedelta(seconds=lasts_s))
    if left_s <= 0:
        return None
    return ConsoleAuthorization(
        instance_id=row[1],
        protocol=row[2],
        type=row[3],
        host=row[4],
        port=row[5],
        internal_path=row[6] or None,
        expires_in_s=left_s,
    )


def drop(tx: Tx, instances: Sequence[InstanceId]) -> int:
    """End all tokens of these instances; return how many that were."""
    return tx.change(_FORGET, ids=instances) if instances else 0


def drop_token(tx: Tx, token: str) -> bool:
    """End one token; False when there is none."""
    return bool(tx.change(_FORGET_ONE, hash=_hash(token)))


def expire(tx: Tx, most: int, spared_s: float = 0.0) -> int:
    """Remove tokens that are over since ``spared_s``, at most so many; return how many that were."""
    until = stamp(tx.now - datetime.timedelta(seconds=spared_s))
    found = [row[0] for row in tx.rows(_OVER, now=until, most=most)]
    return tx.change(_FORGET_SOME, hashes=found) if found else 0
