"""What an audit says, and how a question in SQL becomes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from nova.db.engine import Tx
from nova.db.statements import Statement


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something that should not be."""

    rule: str
    subject: str
    sentence: str


Look = Callable[[Tx], Iterator[Finding]]


def each(rule: str, statement: Statement, sentence: str) -> Look:
    """Make a rule of a statement: every row is a finding, its first column the subject."""

    def look(tx: Tx) -> Iterator[Finding]:
        for row in tx.rows(statement):
            yield Finding(rule=rule, subject=str(row[0]), sentence=sentence.format(*row))

    return look
