"""Statements written in SQLAlchemy Core, compiled once, run bare.

SQLAlchemy turns a statement into the text of a dialect; that is done once for each dialect (and for each
size class of its lists).  Running it again is then one dictionary look-up and a call of the driver: about a
fifth of the CPU time that going through a SQLAlchemy connection takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.sql.compiler import SQLCompiler


class _Hole:
    """Where an argument goes: its name, and its place in a list or -1."""

    __slots__ = ("index", "name")

    def __init__(self, name: str, index: int = -1) -> None:
        self.name = name
        self.index = index


class _Text:
    """The text for one dialect and one set of list sizes, with its holes in order."""

    __slots__ = ("_slots", "sql")

    def __init__(self, sql: str, values: tuple[Any, ...]) -> None:
        self.sql = sql
        self._slots = tuple(
            (value.name, value.index, None) if isinstance(value, _Hole) else (None, 0, value)
            for value in values
        )

    def fill(self, params: Mapping[str, Any]) -> list[Any]:
        filled = []
        for name, index, constant in self._slots:
            if name is None:
                filled.append(constant)
            elif index < 0:
                filled.append(params[name])
            else:
                values = params[name]
                filled.append(values[index] if index < len(values) else values[-1])
        return filled


class Statement:
    """A statement that is run again and again; its arguments are declared by ``arg`` and ``args``."""

    __slots__ = ("_clause", "_lists", "_texts")

    def __init__(self, clause: sa.ClauseElement) -> None:
        self._clause = clause
        self._texts: dict[tuple[str, tuple[int, ...]], _Text] = {}
        self._lists: tuple[str, ...] | None = None

    def prepare(self, dialect: Dialect, params: Mapping[str, Any]) -> tuple[str, list[Any]]:
        """Return the text and its positional arguments."""
        lists = self._lists
        if lists is None:
            lists = self._find_lists(dialect)
        sizes = tuple(size_class(len(params[name])) for name in lists) if lists else ()
        found = self._texts.get((dialect.name, sizes))
        if found is None:
            found = self._compile(dialect, dict(zip(lists, sizes, strict=True)))
            self._texts[dialect.name, sizes] = found
        return found.sql, found.fill(params)

    def text(self, dialect: Dialect) -> str:
        """Return the text, lists taken as of one element (for people and tests)."""
        return self._compile(dialect, dict.fromkeys(self._find_lists(dialect), 1)).sql

    def _find_lists(self, dialect: Dialect) -> tuple[str, ...]:
        self._lists = tuple(
            name.rstrip("@")
            for name, bind in _compiled(self._clause, dialect).binds.items()
            if bind.expanding
        )
        return self._lists

    def _compile(self, dialect: Dialect, sizes: Mapping[str, int]) -> _Text:
        compiled = _compiled(self._clause, dialect)
        holes: dict[str, Any] = {}
        for name in compiled.binds:
            plain = name.rstrip("@")
            if plain in sizes:
                holes[name] = [_Hole(plain, i) for i in range(sizes[plain])]
            elif name.endswith("@"):
                holes[name] = _Hole(plain)
        state = compiled.construct_expanded_state(holes, escape_names=False)
        return _Text(state.statement, tuple(state.positional_parameters))


def size_class(length: int) -> int:
    """Round the length of a list up, so that few texts serve all lengths; the last element fills the rest."""
    if length < 1:
        raise ValueError("an IN list must not be empty")
    return 1 << (length - 1).bit_length()


def _compiled(clause: sa.ClauseElement, dialect: Dialect) -> SQLCompiler:
    compiled = clause.compile(dialect=dialect)
    assert isinstance(compiled, SQLCompiler)
    return compiled
