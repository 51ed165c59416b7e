"""Many rows in one statement: inserts, and updates where every row gets its own values.

The text is made once for each number of rows.  An update of many rows joins the table with the new values::

    UPDATE t SET a = v.a FROM (SELECT ? AS id, ? AS a UNION ALL SELECT ?, ?) AS v WHERE t.id = v.id ...

(on MySQL the multi-table form, made such that it needs no files on its disk, as it would for long texts in
what it joins or keeps for later).  Columns are matched by equality and hold no NULL.  PostgreSQL
gets one array a column and unfolds them itself, so there one text serves any number of rows and is planned
once.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
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
            told, meant = shared[:asked], shared[asked:]
            if tx.backend in {"mysql", "mariadb"}:
                long = self._long
                given = [value for row in part for n, value in enumerate(row) if n not in long]
                listed = (row[n] for n in long for row in part)
                values = [*given, *told, *listed, *meant, *(row[0] for row in part)]
            else:
                values = [*told, *_flat(tx.dialect, part), *meant]
            count += tx.change_by(self._text(tx.dialect, len(part)), values)
        return count

    def _text(self, dialect: Dialect, n: int) -> str:
        n = min(n, 2) if _unfolds(dialect) else n
        found = self._texts.get((dialect.name, n))
        if found is None:
            found = self._make(dialect, n)
            self._texts[dialect.name, n] = found
        return found

    @functools.cached_property
    def _long(self) -> dict[int, str]:
        """Columns of long texts by their place in a row."""
        first = 1 + len(self.matches)
        return {
            first + n: name
            for n, name in enumerate(self.sets)
            if isinstance(self.table.c[name].type, sa.Text)
        }

    def _make(self, dialect: Dialect, n: int) -> str:
        if dialect.name in {"mysql", "mariadb"}:
            return self._make_mysql(dialect, n)
        quote = dialect.identifier_preparer.quote
        mark = _mark(dialect)
        columns = self._columns()
        first = ", ".join(f"{_typed(dialect, kind)} AS {quote(name)}" for name, kind in columns)
        rest = " UNION ALL SELECT " + ", ".join([mark] * len(columns))
        source = f"(SELECT {first}{rest * (n - 1)}) AS v"
        if _unfolds(dialect) and n > 1:
            names = ", ".join(quote(name) for name, _ in columns)
            source = f"{_unfolded(dialect, [kind for _, kind in columns])} AS v ({names})"
        told = self._told(dialect, "", {name: f"v.{quote(name)}" for name in self.sets})
        name = quote(self.table.name)
        return f"UPDATE {name} AS t {told} FROM {source} {self._meant(dialect)}"

    def _make_mysql(self, dialect: Dialect, n: int) -> str:
        """Make the text: the table first, read by its keys, so that its rows are changed as they are found.

        Long texts stand in a list and are picked by their place.
        """
        quote = dialect.identifier_preparer.quote
        mark = _mark(dialect)
        long = set(self._long.values())
        short = [name for name, _ in self._columns() if name not in long]
        first = ", ".join(f"{mark} AS {quote(name)}" for name in short)
        marks = ", ".join([mark] * len(short))
        rest = "".join(f" UNION ALL SELECT {marks}, {place}" for place in range(2, n + 1))
        source = f"(SELECT {first}, 1 AS nth{rest}) AS v"
        each = ", ".join([mark] * n)
        told = self._told(
            dialect,
            "t.",
            {name: f"ELT(v.nth, {each})" if name in long else f"v.{quote(name)}" for name in self.sets},
        )
        meant = f"{self._meant(dialect)} AND t.{quote(self.key)} IN ({each})"
        index = self._index()
        hint = f" FORCE INDEX ({quote(index)})" if index else ""
        return f"UPDATE {quote(self.table.name)} AS t{hint} STRAIGHT_JOIN {source} {told} {meant}"

    def _index(self) -> str:
        """Name the index by which rows are found: with no other are rows locked that nobody asked for."""
        if next(iter(self.table.primary_key.columns)).name == self.key:
            return "PRIMARY"
        unique = (c for c in self.table.constraints if isinstance(c, sa.UniqueConstraint))
        return next((str(c.name) for c in unique if next(iter(c.columns)).name == self.key), "")

    def _columns(self) -> list[tuple[str, sa.types.TypeEngine[Any]]]:
        own = (self.key, *self.matches, *self.sets, *self.adds)
        return [*((name, self.table.c[name].type) for name in own), *self.given]

    def _told(self, dialect: Dialect, left: str, new: Mapping[str, str]) -> str:
        quote = dialect.identifier_preparer.quote
        mark = _mark(dialect)
        sets = [f"{left}{quote(c)} = {expression.replace('?', mark)}" for c, expression in self.always]
        sets += [f"{left}{quote(c)} = {value}" for c, value in new.items()]
        sets += [f"{left}{quote(c)} = t.{quote(c)} + v.{quote(c)}" for c in self.adds]
        return f"SET {', '.join(sets)}"

    def _meant(self, dialect: Dialect) -> str:
        quote = dialect.identifier_preparer.quote
        where = [f"t.{quote(c)} = v.{quote(c)}" for c in (self.key, *self.matches)]
        if self.where:
            where.append(f"({self.where.replace('?', _mark(dialect))})")
        return f"WHERE {' AND '.join(where)}"


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
