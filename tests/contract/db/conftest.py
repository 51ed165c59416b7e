"""Every test of this folder runs on SQLite, MariaDB and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from nova.db.engine import Database
from tests.contract.db.makers import ShownClock
from tests.support.databases import BACKENDS, Databases, emptied, opened


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    made = Databases(tmp_path_factory.mktemp("databases"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def shown_clock() -> ShownClock:
    return ShownClock()


@pytest.fixture(scope="session", params=BACKENDS)
def kept(request: pytest.FixtureRequest, databases: Databases, shown_clock: ShownClock) -> Iterator[Database]:
    with contextmanager(opened)(databases, request.param, pool_size=32, clock=shown_clock) as db:
        yield db


@pytest.fixture
def clock(shown_clock: ShownClock) -> ShownClock:
    """The clock of ``db``; it shows ``makers.NOW`` until it is told otherwise."""
    shown_clock.show(0)
    return shown_clock


@pytest.fixture
def db(kept: Database, clock: ShownClock) -> Iterator[Database]:
    yield kept
    kept.observer = None
    kept.disturb = None
    emptied(kept)
