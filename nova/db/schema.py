"""What all tables share: their registry, column types, and times as text."""

from __future__ import annotations

import datetime
from typing import Any

import sqlalchemy as sa

metadata = sa.MetaData()


_MADE_WITH = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
    "sqlite_autoincrement": True,
}


def table(name: str, *parts: sa.schema.SchemaItem) -> sa.Table:
    """Declare a table."""
    return sa.Table(name, metadata, *parts)


@sa.event.listens_for(metadata, "before_create")
def _make_as_migrations_do(_metadata: sa.MetaData, _connection: sa.Connection, **_: Any) -> None:
    """Have InnoDB and texts compared byte by byte on MySQL.

    Said when tables are made, for each option loads its dialect, and a conductor needs only its database's.
    """
    for made in metadata.tables.values():
        made.kwargs.update(_MADE_WITH)


def text(length: int) -> sa.types.TypeEngine[str]:
    """Return a text type of so many characters, compared byte by byte on every database."""
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


class _MediumText(sa.Text):
    """MySQL's text of up to 16 MB, named without its dialect, which only those load who speak with it."""

    __visit_name__ = "MEDIUMTEXT"


UUID = text(36)
NAME = text(255)
WORD = text(64)
MOMENT = text(27)
JSON = sa.Text().with_variant(_MediumText(), "mysql", "mariadb")
COUNT = sa.Integer()
BIG = sa.BigInteger()
FLAG = sa.SmallInteger()
SECONDS: sa.types.TypeEngine[Any] = sa.Double()


def needed(name: str, kind: sa.types.TypeEngine[Any], **kwargs: Any) -> sa.Column[Any]:
    """Declare a column that is never NULL."""
    return sa.Column(name, kind, nullable=False, **kwargs)


def arg(name: str, kind: sa.types.TypeEngine[Any] | None = None) -> sa.BindParameter[Any]:
    """Declare a value that a :class:`~nova.db.statements.Statement` gets when it runs.

    The name is marked so that it never collides with a column of the same name in a SET clause.
    """
    return sa.bindparam(f"{name}@", type_=kind)


def args(name: str, kind: sa.types.TypeEngine[Any] | None = None) -> sa.BindParameter[Any]:
    """Declare a list for ``column.in_(...)``; it must not be empty when the statement runs."""
    return sa.bindparam(f"{name}@", type_=kind, expanding=True)


def stamp(moment: datetime.datetime | None) -> str:
    """Return a time as it is stored; nothing is the empty string."""
    if moment is None:
        return ""
    if moment.tzinfo is not datetime.UTC:
        moment = moment.astimezone(datetime.UTC)
    return moment.isoformat(timespec="microseconds")[:26] + "Z"


def moment(stored: str) -> datetime.datetime | None:
    """Return a stored time as a value."""
    return datetime.datetime.fromisoformat(stored) if stored else None


def moment_of(stored: str) -> datetime.datetime:
    """Return a stored time that is always there."""
    return datetime.datetime.fromisoformat(stored)
