"""Schedulers race on views of their own; claims keep hosts within their capacity and leave nothing unused."""

from __future__ import annotations

import random
import threading
from collections import Counter
from pathlib import Path

from nova.clock import Clock
from nova.conf import load
from nova.conf.scheduler import SchedulerOptions
from nova.db import host_feed, hosts, migrate
from nova.db.configured import database, prepared_url
from nova.db.engine import Database
from nova.objects.host import HostInventory
from nova.objects.ids import HostName, NodeName
from nova.objects.placement import HostChoice, PlacementRequest
from nova.scheduler.question import load_of
from nova.scheduler.view import View
from tests.support.scheduling import flavor, request

HOSTS = 6
VCPUS = 4


def inventory(number: int) -> HostInventory:
    name = f"h{number}"
    return HostInventory(
        host=HostName(name), node=NodeName(name), hypervisor_type="qemu", vcpus=VCPUS, ram_mb=65536,
        disk_gb=1000, cpu_ratio=1.0,
    )  # fmt: skip


def claim(db: Database, asked: PlacementRequest, choices: list[HostChoice]) -> str | None:
    """Claim the first of the choices that still has room, as the conductor does."""
    load_ = load_of(asked)
    for choice in choices:
        wanted = hosts.Claim(
            instance_id=asked.instances[0], host=choice.host, node=choice.node, **load_._asdict()
        )
        if db.run(lambda tx, wanted=wanted: hosts.claim(tx, [wanted])):
            return choice.host
    return None


def test_never_more_than_a_host_has_and_nothing_left_over(tmp_path: Path) -> None:
    conf = load([], files=[])
    conf.set_override("connection", f"sqlite:///{tmp_path}/nova.sqlite", group="database")
    migrate.upgrade(prepared_url(conf))
    db = database(conf)
    db.run(lambda tx: hosts.report(tx, [inventory(n) for n in range(HOSTS)]))
    options = SchedulerOptions(view_max_age=0.0, hold_time=0.5)
    placed: Counter[str] = Counter()
    refused: list[str] = []
    guard = threading.Lock()

    def schedule(number: int) -> None:
        view = View(
            lambda since: host_feed.host_views(db, since or 0),
            options,
            Clock(),
            random.Random(number),
        )
        for k in range(10):
            asked = request(name=f"s{number}-{k}", flavor=flavor(vcpus=1))
            found = None
            for _ in range(20):
                (decision,) = view.select([asked])
                found = decision.choices and claim(db, asked, [*decision.choices, *decision.alternates])
                if found or not decision.choices:
                    break
            with guard:
                placed.update([found] if found else [])
                refused.extend([] if found else [asked.id])

    threads = [threading.Thread(target=schedule, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    snapshot = host_feed.host_views(db)
    db.close()
    assert {v.host: v.used_vcpus for v in snapshot.hosts} == dict(placed)
    assert dict(placed) == {f"h{n}": VCPUS for n in range(HOSTS)}
    assert len(refused) == 30 - HOSTS * VCPUS
