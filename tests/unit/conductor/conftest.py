"""A conductor's surroundings without a conductor: SQLite, a stopped clock, daemons that only listen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from nova.clock import StoppedClock
from nova.conductor.liveness import Liveness
from nova.conductor.settings import Settings
from nova.conductor.world import World
from nova.context import RequestContext
from nova.db.engine import Database, in_transaction
from nova.errors import Unavailable
from tests.support.databases import Databases, emptied, opened


class Heard:
    """Stands in for a client: writes down what is sent, and that nothing is sent within a transaction."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.all = Mouth(self, None)
        self.away = False

    def host(self, name: str) -> Mouth:
        return Mouth(self, name)


class Mouth:
    def __init__(self, heard: Heard, host: str | None) -> None:
        self._heard, self._host = heard, host

    def __getattr__(self, name: str) -> Any:
        def send(ctx: RequestContext, *args: Any) -> None:
            assert not in_transaction()
            if self._heard.away:
                raise Unavailable(part="the message queue")
            self._heard.calls.append((self._host, name, *args))

        return send


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Database, StoppedClock]]:
    clock = StoppedClock()
    made = Databases(tmp_path_factory.mktemp("services"))
    with contextmanager(opened)(made, "sqlite", clock=clock) as db:
        yield db, clock
    made.close()


@pytest.fixture
def world(kept: tuple[Database, StoppedClock]) -> Iterator[World]:
    db, clock = kept
    settings = Settings()
    unused: Any = None
    compute: Any = Heard()
    network: Any = Heard()
    scheduler: Any = Heard()
    yield World(
        owner="here:1",
        host="here",
        db=db,
        clock=clock,
        settings=settings,
        liveness=Liveness(clock, service_down_s=settings.service_down_s, lease_s=settings.lease_s),
        images=unused,
        facts=unused,
        scheduler=scheduler,
        compute=compute,
        network=network,
        consoleauth=unused,
    )
    emptied(db)


@pytest.fixture
def ctx() -> RequestContext:
    return RequestContext(request_id="req-1", user_id="u1", project_id="p1", roles=("member",))


@pytest.fixture
def other() -> RequestContext:
    return RequestContext(request_id="req-2", user_id="u2", project_id="p2", roles=("member",))


@pytest.fixture
def admin() -> RequestContext:
    return RequestContext(request_id="req-3", user_id="u0", project_id="p0", roles=("admin",), is_admin=True)
