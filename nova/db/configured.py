"""The database that the configuration names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nova.clock import Clock
from nova.db import dialects
from nova.db.engine import Database


def database(conf: Any, clock: Clock | None = None) -> Database:
    """Make the database of ``[database]``; nothing is connected yet."""
    options = conf.database
    return Database(
        prepared_url(conf),
        clock=clock,
        pool_size=options.max_pool_size,
        overflow=options.max_overflow,
        patience_s=options.pool_timeout,
    )


@contextmanager
def opened(conf: Any) -> Iterator[Database]:
    """Give the database of ``[database]`` for a block.

    One that does not serve is told at once, with what the driver says: a person can type a command again.
    """
    db = database(conf)
    try:
        db.engine.raw_connection().close()
        yield db
    finally:
        db.close()


def prepared_url(conf: Any) -> str:
    """Return the URL; for SQLite the folder of its file is made."""
    url = str(conf.database.connection)
    parsed = dialects.address(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    return url
