"""A cloud of real processes for tests, RabbitMQ and MariaDB included, and clients that load it."""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from nova.audit.checker import Checker
from nova.audit.hosts import Agents
from nova.clock import Clock
from nova.conf import load
from nova.daemon import Surroundings
from nova.db.engine import Database
from nova.db.findings import Finding
from nova.image.base import ImageQuery
from nova.image.choice import image_store
from nova.rpc.contracts.compute import Compute
from nova.rpc.contracts.network import NetworkHost
from nova_tools.torture.cloud import IMAGE, Cloud
from nova_tools.torture.faults import Inflicted
from nova_tools.torture.form import Form
from nova_tools.torture.http_client import Doors, user
from nova_tools.torture.judge import Judge
from nova_tools.torture.ledger import ACCEPTED, REFUSED, Ledger
from nova_tools.torture.load import Client, Site
from nova_tools.torture.windows import Windows
from tests.support.eventually import eventually
from tests.support.services import scratch_directory


@contextlib.contextmanager
def split_cloud(label: str, *, env: dict[str, str] | None = None, **form: Any) -> Iterator[Cloud]:
    """Run a cloud that serves while the block runs."""
    with scratch_directory(label) as home:
        cloud = Cloud(Form(**form), home, env=env)
        try:
            cloud.start()
            yield cloud
        finally:
            cloud.stop()


class Load:
    """Clients at work while a block runs; what they were told is judged at its end."""

    def __init__(self, cloud: Cloud, clients: int = 4, seed: int = 1) -> None:
        self.cloud = cloud
        self.ledger = Ledger()
        self._stopping = threading.Event()
        conf = load(["--config-file", str(cloud.home / "etc" / "nova.conf")], program="nova-api")
        image = str(image_store(conf).list(ImageQuery(name=IMAGE))[0].id)
        site = Site(doors=cloud.doors, ledger=self.ledger, stopping=self._stopping, image=image)
        self._clients = [Client(n, seed, site) for n in range(clients)]

    def __enter__(self) -> Load:
        for client in self._clients:
            client.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for client in self._clients:
            client.join(120)

    def wait_for(self, requests: int, within_s: float = 120.0) -> None:
        """Wait until so many more requests were answered."""
        wanted = self.ledger.done() + requests
        eventually(lambda: self.ledger.done() >= wanted, within_s=within_s, what=f"{requests} more requests")

    def troubles(self) -> list[str]:
        """Name every request that was not answered as it should be, and every promise that was broken."""
        db = self.cloud.database()
        try:
            eventually(lambda: not _busy(db), within_s=90, what="all work to end")
            # How slow an answer may be is for the torture to say: the machine of a test has other work, too.
            always = Windows([Inflicted("test", "", began=0.0, over=math.inf)], settle_s=0.0)
            judge = Judge(db, self.ledger, always)
            broken = [f"{v.rule}: {v.sentence}" for v in judge.violations()]
        finally:
            db.close()
        failed = [
            f"{entry.kind} {entry.outcome} {entry.status} after {entry.seconds:.1f} s: {entry.told}"
            for entry in self.ledger.entries
            if entry.outcome not in (ACCEPTED, REFUSED)
        ]
        return failed + broken


def _busy(db: Database) -> int:
    import sqlalchemy as sa

    with db.engine.connect() as link:
        return int(link.execute(sa.text("SELECT count(*) FROM workflows WHERE running = 1")).scalar() or 0)


def findings(cloud: Cloud) -> list[Finding]:
    """Return what is wrong with a cloud, hosts included."""
    db, around = cloud.database(), Surroundings(cloud.conf())  # type: ignore[arg-type]
    try:
        agents = Agents(around.client(Compute), around.client(NetworkHost))
        return Checker(db, Clock(), lease_s=cloud.form.lease_s, agents=agents).judge()
    finally:
        around.close()
        db.close()


def admin(cloud: Cloud, doors: Sequence[int] = ()) -> Doors:
    """Return an administrator's way to the APIs."""
    return Doors(doors or cloud.doors, user("admin", "admin"), keep=False)
