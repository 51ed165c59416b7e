"""Every test of this folder runs on SQLite, MariaDB and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from nova.db.engine import Database
from tests.support.databases import BACKENDS, Databases, emptied, opened


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    made = Databases(tmp_path_factory.mktemp("databases"))
    yield made
    made.close()


@pytest.fixture(scope="session", params=BACKENDS)
def kept(request: pytest.FixtureRequest, databases: Databases) -> Iterator[Database]:
    with contextmanager(opened)(databases, request.param, pool_size=32) as db:
        yield db


@pytest.fixture
def db(kept: Database) -> Iterator[Database]:
    yield kept
    kept.observer = None
    kept.disturb = None
    emptied(kept)
