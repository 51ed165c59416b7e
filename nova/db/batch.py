"""Many rows in one statement: inserts, and updates where every row gets its own values.

The text is made once for each number of rows.  An update of many rows joins the table with the new values::

    UPDATE t SET a = v.a FROM (SELECT ? AS id, ? AS a UNION ALL SELECT ?, ?) AS v WHERE t.id = v.id ...

(on MySQL the multi-table form).  Columns are matched by equality and hold no NULL.  PostgreSQL gets one array
a column and unfolds them itself, so there one text serves any number of rows and is planned once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import Dialect

from nova.db.engine import Row, Tx

_MOST_VALUES = 30_000
_MOST_UPDATES = 256


class Insert:
    """Inserts rows, given as tuples in the order of ``columns``."""

    def __init__(self, table: sa.Table, columns: Sequence[str], *, if_missing: bool = False) -> None:
        """``if_missing``: rows whose key is there already are left as they are."""
        self._table = table
        self._columns = tuple(columns)
        self._if_missing = if_missing
        self._texts: dict[tuple[str, int], str] = {}

    def run(self, tx: Tx, rows: Sequence[Row]) -> int:
        """Insert; return how many rows are new (on MySQL with ``if_missing``: how many were given)."""
        count = 0
        most = _MOST_VALUES // len(self._columns)
        for start in range(0, len(rows), most):
            part = rows[start : start + most]
            count += tx.change_by(self._text(tx.dialect, len(part)), _flat(tx.dialect, part))
        return count

    def _text(self, dialect: Dialect, n: int) -> str:
        n = min(n, 2) if _unfolds(dialect) else n
        found = self._texts.get((dialect.name, n))
        if found is None:
            found = self._make(dialect, n)
            self._texts[dialect.name, n] = found
        return found

    def _make(self, dialect: Dialect, n: int) -> str:
        quote = dialect.identifier_preparer.quote
        names = ", ".join(quote(c) for c in self._columns)
        if _unfolds(dialect) and n > 1:
            kinds = [self._table.c[c].type for c in self._columns]
            source = f"SELECT * FROM {_unfolded(dialect, kinds)}"  # noqa: S608
        else:
            mark = _mark(dialect)
            one = "(" + ", ".join([mark] * len(self._columns)) + ")"
            source = "VALUES " + ", ".join([one] * n)
        # Made of our own names and of marks alone.
        text = f"INSERT INTO {quote(self._table.name)} ({names}) {source}"
        if self._if_missing:
            key = quote(next(iter(self._table.primary_key.columns)).name)
            mysql = dialect.name in {"mysql", "mariadb"}
            text += f" ON DUPLICATE KEY UPDATE {key} = {key}" if mysql else " ON CONFLICT DO NOTHING"
        return text


@dataclass(frozen=True)
class Update:
    """Gives many rows their own values where they still are as expected.

    Rows are tuples: the key, then the ``matches``, ``sets``, ``adds`` and ``given`` in their order.  ``adds``
    are added to numbers; ``given`` are values for ``where`` alone, with their types.  ``always`` are
    assignments and ``where`` is a condition, in plain SQL that all three databases understand: ``t.`` names
    the table, ``v.`` the row given, question marks stand for values that all rows share.
    """

    table: sa.Table
    _: KW_ONLY
    key: str
    matches: Sequence[str] = ()
    sets: Sequence[str] = ()
    adds: Sequence[str] = ()
    given: Sequence[tuple[str, sa.types.TypeEngine[Any]]] = ()
    always: Sequence[tuple[str, str]] = ()
    where: str = ""
    _texts: dict[tuple[str, int], str] = field(default_factory=dict)

    def run(self, tx: Tx, rows: Sequence[Row], extra: Iterable[Any] = ()) -> int:
        """Update; return how many rows matched.  ``extra`` fills the question marks, in order."""
        shared = list(extra)
        asked = len(shared) - self.where.count("?")
        count = 0
        for start in range(0, len(rows), _MOST_UPDATES):
            part = rows[start : start + _MOST_UPDATES]
            values = _flat(tx.dialect, part)
            mysql = tx.backend in {"mysql", "mariadb"}
            told, meant = shared[:asked], shared[asked:]
            values = [*values, *told, *meant] if mysql else [*told, *values, *meant]
            count += tx.change_by(self._text(tx.dialect, len(part)), values)
        return count

    def _text(self, dialect: Dialect, n: int) -> str:
        n = min(n, 2) if _unfolds(dialect) else n
        found = self._texts.get((dialect.name, n))
        if found is None:
            found = self._make(dialect, n)
            self._texts[dialect.name, n] = found
        return found

    def _make(self, dialect: Dialect, n: int) -> str:
        quote = dialect.identifier_preparer.quote
        mark = _mark(dialect)
        own = (self.key, *self.matches, *self.sets, *self.adds)
        columns = [*((name, self.table.c[name].type) for name in own), *self.given]
        first = ", ".join(f"{_typed(dialect, kind)} AS {quote(name)}" for name, kind in columns)
        rest = " UNION ALL SELECT " + ", ".join([mark] * len(columns))
        source = f"(SELECT {first}{rest * (n - 1)}) AS v"
        if _unfolds(dialect) and n > 1:
            names = ", ".join(quote(name) for name, _ in columns)
            source = f"{_unfolded(dialect, [kind for _, kind in columns])} AS v ({names})"
        mysql = dialect.name in {"mysql", "mariadb"}
        left = "t." if mysql else ""
        sets = [f"{left}{quote(c)} = {expression.replace('?', mark)}" for c, expression in self.always]
        sets += [f"{left}{quote(c)} = v.{quote(c)}" for c in self.sets]
        sets += [f"{left}{quote(c)} = t.{quote(c)} + v.{quote(c)}" for c in self.adds]
        where = [f"t.{quote(c)} = v.{quote(c)}" for c in (self.key, *self.matches)]
        if self.where:
            where.append(f"({self.where.replace('?', mark)})")
        name = quote(self.table.name)
        told = f"SET {', '.join(sets)}"
        meant = f"WHERE {' AND '.join(where)}"
        if mysql:
            return f"UPDATE {source} STRAIGHT_JOIN {name} AS t {told} {meant}"
        return f"UPDATE {name} AS t {told} FROM {source} {meant}"


def _unfolds(dialect: Dialect) -> bool:
    return dialect.name == "postgresql"


def _unfolded(dialect: Dialect, kinds: Iterable[sa.types.TypeEngine[Any]]) -> str:
    """Return ``unnest(...)`` of one array for each column."""
    return "unnest(" + ", ".join(f"{_mark(dialect)}::{_word(dialect, kind)}[]" for kind in kinds) + ")"


def _flat(dialect: Dialect, rows: Sequence[Row]) -> list[Any]:
    """Return the values of rows as the text wants them: one after the other, or an array a column."""
    if _unfolds(dialect) and len(rows) > 1:
        return [list(column) for column in zip(*rows, strict=True)]
    return [value for row in rows for value in row]


def _typed(dialect: Dialect, kind: sa.types.TypeEngine[Any]) -> str:
    mark = _mark(dialect)
    return f"CAST({mark} AS {_word(dialect, kind)})" if dialect.name == "postgresql" else mark


def _word(dialect: Dialect, kind: sa.types.TypeEngine[Any]) -> str:
    return "text" if isinstance(kind, sa.String) else kind.compile(dialect)


def _mark(dialect: Dialect) -> str:
    return "?" if dialect.paramstyle == "qmark" else "%s"
