"""Databases for tests: SQLite files, and one private MariaDB and PostgreSQL server for a whole test run."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from nova.db.engine import Database
from nova.db.tables import metadata
from tests.support.mariadb import mariadb
from tests.support.postgres import postgres

BACKENDS = ("sqlite", "mariadb", "postgresql")


class Databases:
    """Gives fresh, empty databases; starts a server when the first one of its kind is asked for."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._stack = ExitStack()
        self._servers: dict[str, object] = {}
        self._numbers = itertools.count(1)

    def url(self, backend: str) -> str:
        """Return the URL of a new database without tables."""
        name = f"nova{next(self._numbers)}"
        if backend == "sqlite":
            return f"sqlite:///{self._directory / name}.db"
        server = self._server(backend)
        server.create(name)  # type: ignore[attr-defined]
        return str(server.url(name))  # type: ignore[attr-defined]

    def _server(self, backend: str) -> object:
        if backend not in self._servers:
            start = mariadb if backend == "mariadb" else postgres
            self._servers[backend] = self._stack.enter_context(start())
        return self._servers[backend]

    def close(self) -> None:
        """Stop the servers."""
        self._stack.close()


def opened(databases: Databases, backend: str, **options: object) -> Iterator[Database]:
    """Give an open database with all tables."""
    db = Database(databases.url(backend), durable=False, **options)  # type: ignore[arg-type]
    metadata.create_all(db.engine)
    try:
        yield db
    finally:
        db.close()


def emptied(db: Database) -> None:
    """Take all rows away, which is much faster than making tables anew."""
    with db.engine.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
