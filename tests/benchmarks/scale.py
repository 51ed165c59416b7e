"""Many hosts, many servers: decisions with durable claims, beats, and what must not grow."""

from __future__ import annotations

import argparse
import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import sqlalchemy as sa

from nova.conf import load
from nova.daemon import Surroundings
from nova.db.configured import database
from nova.db.engine import Database
from nova.embedded import Cloud
from nova.image.base import ImageQuery
from nova.image.choice import image_store
from nova.objects.instance import BootWish
from nova.objects.network import NetworkChoice
from nova.rpc.contracts.conductor import Conductor
from tests.benchmarks import samples, servers, watching
from tests.benchmarks.clients import Client, Target, many
from tests.benchmarks.lines import Line, Record
from tests.benchmarks.micro import CTX
from tests.benchmarks.our_cloud import Form, Standing, cloud, ground
from tests.benchmarks.scenarios import Run, Sizes, create_serial, reads
from tests.support.cloud import world_of
from tests.support.eventually import eventually

_CALLERS = 16
_SETTLE_S = 20.0
_WATCH_S = 40.0
_PAGES = 40


def run(asked: argparse.Namespace, record: Record) -> None:
    """Measure everything that grows, or must not."""
    small = bool(asked.quick)
    for count in (100, 1000) if small else (1000, 10_000):
        _decisions(asked, record, count)
    _servers(asked, record, (0, 1000) if small else (0, 1000, 100_000))
    for count in (1, 100) if small else (1, 1000, 10_000):
        _hosts(asked, record, count)


def _line(name: str, value: float, unit: str, **more: Any) -> Line:
    return {"scenario": name, "side": "ours", "value": round(value, 3), "unit": unit, **more}


# -- decisions with durable claims ---------------------------------------------------------------------------


def _decisions(asked: argparse.Namespace, record: Record, hosts: int) -> None:
    """Creates up to the committed claim, conductor and scheduler in this process, nobody builds.

    The CPU time is that of this process and of the database.
    """
    # Nobody builds, and nobody shall ask why.
    patient = {"conductor": {"job_ask": "3600", "job_ask_most": "3600"}}
    form = Form(split=False, database=asked.database, auth="none", extra=patient)
    with ground(form, None) as under:
        conf = load(["--config-file", str(under.conf_file)], program="nova-all")
        db = database(conf)
        samples.fill_hosts(db, hosts)
        db.run(samples.add_flavor)
        surroundings = Surroundings(conf)
        running = Cloud(surroundings, ("nova-conductor", "nova-scheduler"))
        with _alive(db, hosts):
            running.start()
            assert running.wait_serving(60)
            world_of(running).compute = _Nobody()  # type: ignore[assignment]
            image = image_store(conf).list(ImageQuery())[0].id
            wish = BootWish(
                name="bench", flavor_id=samples.FLAVOR.id, image_id=image, network_choice=NetworkChoice.NONE
            )
            _claims(surroundings, db, wish, 50)
            for name, one, number in (
                ("single requests", wish, 1000),
                ("100 a request", msgspec.structs.replace(wish, min_count=100, max_count=100), 4000),
            ):
                spent = watching.cpu_seconds(under.watch)
                rate, own_ms = _claims(surroundings, db, one, number)
                spent = {k: v - spent[k] for k, v in watching.cpu_seconds(under.watch).items()}
                by = {"daemons": own_ms} | {k: v * 1000 / number for k, v in spent.items()}
                words = f"decision and durable claim, {hosts} hosts, {name}"
                record.add(_line(words, rate, "a second", cpu_ms=sum(by.values()), cpu_ms_by=by))
        running.stop(10)
        db.close()


class _Nobody:
    """Stands in for the hosts, which are rows only: jobs for them go nowhere."""

    def host(self, _name: str) -> _Nobody:
        return self

    def run_jobs(self, _ctx: object, _jobs: object) -> None:
        """Build nothing."""


def _claims(surroundings: Surroundings, db: Database, wish: BootWish, number: int) -> tuple[float, float]:
    """Create; return claims a second until the last is committed, and CPU milliseconds of this process."""
    conductor = surroundings.client(Conductor).any
    before, numbers = _count(db), iter(range(number // wish.min_count))
    lock = threading.Lock()
    mark = next(_marks)

    def caller() -> None:
        while True:
            with lock:
                turn = next(numbers, None)
            if turn is None:
                return
            ctx = msgspec.structs.replace(CTX, request_id=f"req-{mark:08x}-0000-0000-0000-{turn:012x}")
            conductor.boot(ctx, wish)

    began, cpu = time.monotonic(), time.process_time()
    threads = [threading.Thread(target=caller) for _ in range(_CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    eventually(lambda: _count(db) - before >= number, within_s=300)
    return number / (time.monotonic() - began), (time.process_time() - cpu) * 1000 / number


_marks = itertools.count(1)


def _count(db: Database) -> int:
    with db.engine.connect() as connection:
        return int(connection.execute(sa.text("select count(*) from allocations")).scalar_one())


@contextmanager
def _alive(db: Database, hosts: int) -> Iterator[None]:
    """Beat for hosts that are rows only."""
    names, over = [f"filler{n}" for n in range(hosts)], threading.Event()

    def beat() -> None:
        while not over.wait(10):
            samples.beat_hosts(db, names)

    thread = threading.Thread(target=beat)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


# -- what must not grow --------------------------------------------------------------------------------------


def _daemons(standing: Standing) -> dict[str, list[int]]:
    return {name: standing.target.watch[name] for name in standing.programs}


def _servers(asked: argparse.Namespace, record: Record, counts: tuple[int, ...]) -> None:
    """Show, create and pages with ever more servers in the database."""
    with cloud(Form(database=asked.database, split=False, auth="none", hosts=20), None) as standing:
        conf = load(["--config-file", str(standing.conf_file)], program="nova-all")
        db, there, at_first = database(conf), 0, 0.0
        run = Run(standing.target, Sizes(reads=200, serial=20, existing=1), record)
        for count in counts:
            samples.fill_instances(db, count - there, "admin", first=there)
            there = count
            _measure(run, f"{count} servers")
            memory = sum(watching.memory_mib(_daemons(standing)).values())
            if not count:
                at_first = memory
            else:
                each = (memory - at_first) * 1024 * 1024 / count
                record.add(_line(f"memory a server in the database, {count} servers", each, "bytes"))
        _deep(run, record, there)
        db.close()


def _measure(run: Run, words: str) -> None:
    target, record = run.target, Record(None)
    (server,) = servers.populate(target, "bench-one", 1)
    reads(Run(target, run.sizes, record), "show", run.sizes.reads, 1, lambda _: f"/servers/{server}")
    create_serial(Run(target, run.sizes, record))
    for line in record.lines:
        run.record.add(line | {"scenario": f"{line['scenario']} with {words}", "slope": True})


def _deep(run: Run, record: Record, count: int) -> None:
    """The time of a page deep in the list by that of the first."""
    client = Client(run.target)
    at, marker = 0, ""
    while at < count * 0.9:
        page = client.json("GET", f"/servers?limit=1000{marker}")["servers"]
        at, marker = at + len(page), f"&marker={page[-1]['id']}"
    first = _page_s(run.target, "/servers/detail?limit=100")
    deep = _page_s(run.target, f"/servers/detail?limit=100{marker}")
    record.add(_line(f"page after {at} of {count} servers, by the first page", deep / first, "x"))


def _page_s(target: Target, path: str) -> float:
    samples_ = many(target, _PAGES, 1, lambda client, _: (client.ask("GET", path).status, None))
    return sorted(s.seconds for s in samples_)[_PAGES // 2]


def _hosts(asked: argparse.Namespace, record: Record, count: int) -> None:
    """Show, create, CPU and memory with ever more fake hosts that beat in one process."""
    with cloud(Form(database=asked.database, split=False, auth="none", hosts=count), None) as standing:
        eventually(lambda: _up(standing.target) >= count, within_s=120)
        time.sleep(_SETTLE_S)
        before, began = watching.cpu_seconds(standing.target.watch), time.monotonic()
        time.sleep(_WATCH_S)
        after, span = watching.cpu_seconds(standing.target.watch), time.monotonic() - began
        by = {name: round((after[name] - before[name]) / span, 4) for name in after}
        record.add(_line(f"idle with {count} hosts in one process", sum(by.values()), "cores", cores_by=by))
        memory = sum(watching.memory_mib(_daemons(standing)).values())
        record.add(_line(f"memory with {count} hosts in one process", memory, "MiB"))
        _measure(Run(standing.target, Sizes(reads=200, serial=20), record), f"{count} hosts")


def _up(target: Target) -> int:
    found = Client(target).json("GET", "/os-services?binary=nova-compute")["services"]
    return sum(service["state"] == "up" for service in found)
