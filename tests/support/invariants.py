"""What must hold after every torture of a cloud of this process.

The product's own check (``nova.audit``) compares books, history and hosts; what only a test can know is here:
how many servers were asked for, what the fake hosts saw, which images still wait for their bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from nova.audit.checker import Checker
from nova.audit.hosts import Agents
from nova.clock import Clock
from nova.db import workflows
from nova.db.engine import Database
from nova.image.base import ImageQuery
from nova.image.choice import image_store
from nova.rpc.contracts.compute import Compute
from nova.rpc.contracts.network import NetworkHost
from nova.virt.fake.books import Books
from tests.support.cloud import Bench, eventually

_REASON = re.compile(r"^(undo of )?(req-|job )")


def check(bench: Bench, db: Database, books: Callable[[], Books], asked: int) -> None:
    """Raise ``AssertionError`` for what does not agree; ``asked`` servers were accepted."""
    around = bench.cloud.surroundings
    agents = Agents(around.client(Compute), around.client(NetworkHost), patience_s=30)
    checker = Checker(db, Clock(), lease_s=1.0, agents=agents)

    def sound() -> bool:
        problems = [finding.sentence for finding in checker.judge(wait_s=0.5)]
        problems += [*at_rest(db), *servers(bench), *images(bench)]
        assert not problems, f"{len(problems)} things do not agree: {problems[:10]}"
        return True

    eventually(sound, timeout_s=60, pause_s=0.5)
    assert books().violations == ()
    assert list(destroys(books())) == []
    assert created(db) == asked


def at_rest(db: Database) -> Iterator[str]:
    """Tell what is still under way."""
    for row in db.read(workflows.running):
        yield f"workflow {row.kind} of {row.instance_id} is {row.state.value} at step {row.step}"


def servers(bench: Bench) -> Iterator[str]:
    """Tell of servers that are busy, or in ERROR without a word about it."""
    for server in bench.admin.ask("GET", "/servers/detail?all_tenants=1").body["servers"]:
        if server["OS-EXT-STS:task_state"] is not None:
            yield f"{server['id']} is still {server['OS-EXT-STS:task_state']}"
        if server["status"] == "ERROR" and not server.get("fault", {}).get("message"):
            yield f"{server['id']} is in ERROR and does not say why"


def created(db: Database) -> int:
    """Count the servers that there are or were."""
    cursor = db.read(lambda tx: tx.driver("SELECT COUNT(*) FROM instances", []).fetchone())
    return int(cursor[0])


def images(bench: Bench) -> Iterator[str]:
    """Tell of images that wait for bytes which will never come."""
    for image in image_store(bench.conf).list(ImageQuery()):
        if image.status != "active":
            yield f"image {image.id} ({image.name}) is {image.status}"


def destroys(books: Books) -> Iterator[str]:
    """Tell of guests that were taken away without a request that says so."""
    for gone in books.destroyed:
        if not _REASON.match(gone.reason):
            yield f"{gone.id} was destroyed on {gone.host} for {gone.reason!r}"
