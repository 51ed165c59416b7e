"""Every workflow fails, stumbles and dies at every step, and its server is deleted meanwhile.

Made from the workflow tables: a new workflow or step is tried from the day it is written.  All cases run at
the same time in one cloud; each is then judged alone, and all books are compared at the end.
"""

from __future__ import annotations

import pathlib
from collections.abc import Iterator
from typing import Any

import pytest

from nova.conductor.engine import engine
from nova.conductor.workflows import CATALOG
from nova.db import audit, workflows
from nova.virt.fake.books import Books
from nova.virt.fake.store import read_books
from tests.support.cloud import Bench, eventually, running_cloud
from tests.support.workflows import Armed, Case, Fault, Shooter, cases, world_of

CASES = {str(case): case for case in cases(CATALOG)}
NOT_COVERED = pathlib.Path(__file__).parents[1] / "support" / "not_covered.txt"
EXTRA = """
[conductor]
lease = 1.0
job_ask = 0.3
job_ask_most = 1.0
[fake]
world = {world}
vcpus = 1000
ram_mb = 1000000
disk_gb = 100000
"""
SETTLED_S = 60.0
ACTS = {"act": ("os-stop", None), "snapshot": ("createImage", {"name": "picture"})}
ENDS = {"boot": "ACTIVE", "act": "SHUTOFF", "snapshot": "ACTIVE"}
REASONS = ("The test wanted this to fail.", "An unexpected problem stopped the action;")
FAILED = {"boot": "ERROR", "act": "ACTIVE", "snapshot": "ACTIVE", "delete": "ERROR"}


class Outcome:
    """What became of the server of a case."""

    def __init__(self, armed: Armed, server: dict[str, Any] | None) -> None:
        self.armed = armed
        self.server = server


class Trial:
    """The cloud after all cases."""

    def __init__(self, bench: Bench, world: pathlib.Path) -> None:
        self.bench = bench
        self.world = world
        self.outcomes: dict[str, Outcome] = {}

    def running(self) -> list[str]:
        """Name the workflows that have not ended."""
        found = world_of(self.bench).db.read(workflows.running)
        return [f"{w.kind} of {w.instance_id}: {w.state.value} at {w.step}" for w in found]

    def books(self) -> Books:
        """Return what the fake hosts hold."""
        return read_books(self.world)


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    """Try all cases at once."""
    home = tmp_path_factory.mktemp("faults")
    extra = EXTRA.format(world=home / "world")
    with pytest.MonkeyPatch.context() as patch, running_cloud(home / "cloud", hosts=2, extra=extra) as bench:
        patch.setattr(engine, "BATCH", 1)  # a crash shall hit the server it is meant for
        found = Trial(bench, home / "world")
        attempt(found)
        yield found
        world_of(bench).points.listener = None


def attempt(trial: Trial) -> None:
    """Start all cases and wait until nothing is under way any more."""
    bench = trial.bench
    armed = {name: Armed(case) for name, case in CASES.items()}
    shooter = Shooter(lambda server: delete(bench, server))
    later = [a for a in armed.values() if a.case.kind != "boot"]
    servers = boot(bench, len(later), "old")
    eventually(lambda: statuses(bench, "old") == ["ACTIVE"] * len(later), timeout_s=SETTLED_S)
    shooter.waiting.extend(a for a in armed.values() if a.case.kind == "boot")
    world_of(bench).points.listener = shooter
    boot(bench, len(shooter.waiting), "new")
    for server, one in zip(servers, later, strict=True):
        one.begun = True
        shooter.arm(server, one)
        begin(bench, server, one.case)
    eventually(lambda: not trial.running(), timeout_s=SETTLED_S)
    eventually(lambda: not shooter.deleting, timeout_s=SETTLED_S)
    eventually(lambda: not trial.running(), timeout_s=SETTLED_S)
    for name, one in armed.items():
        answer = bench.admin.ask("GET", f"/servers/{one.server}")
        trial.outcomes[name] = Outcome(one, answer.body["server"] if answer.status == 200 else None)


def boot(bench: Bench, count: int, name: str) -> list[str]:
    """Create many servers with one request."""
    wish = {"name": name, "imageRef": bench.image, "flavorRef": "1", "networks": "none"}
    asked = {"server": wish | {"min_count": count, "max_count": count}}
    answer = bench.demo.ask("POST", "/servers", asked)
    assert answer.status == 202, answer
    return [s["id"] for s in bench.demo.ask("GET", f"/servers?name={name}").body["servers"]]


def statuses(bench: Bench, name: str) -> list[str]:
    """Return the status of each server whose name has these letters."""
    return [s["status"] for s in bench.demo.ask("GET", f"/servers/detail?name={name}").body["servers"]]


def begin(bench: Bench, server: str, case: Case) -> None:
    """Ask for the action of a case."""
    if case.kind == "delete":
        delete(bench, server)
        return
    name, argument = ACTS[case.kind]
    answer = bench.demo.act(server, name, argument)
    assert answer.status == 202, answer


def delete(bench: Bench, server: str) -> None:
    """Ask for a server to be deleted."""
    answer = bench.demo.ask("DELETE", f"/servers/{server}")
    assert answer.status in (204, 404), answer  # 404: an earlier delete was quicker


@pytest.mark.parametrize("name", sorted(CASES))
def test_every_server_ends_as_asked_or_says_why(trial: Trial, name: str) -> None:
    outcome = trial.outcomes[name]
    case, server = outcome.armed.case, outcome.server
    if not outcome.armed.fired:
        assert name in not_covered()
        return
    if case.fault is Fault.DELETE:
        assert server is None
    elif case.is_open and (server is None or server["status"] != FAILED[case.kind]):
        as_asked(case, server)
    elif case.fails or case.is_open:
        assert server is not None
        if case.kind == "act" and server["status"] == ENDS["act"]:
            return  # the host had done it already, and its guests are believed
        assert server["status"] == FAILED[case.kind]
        assert server["OS-EXT-STS:task_state"] is None
        if server["status"] == "ERROR":
            assert server["fault"]["message"].startswith(REASONS[case.fault is Fault.BUG])
    else:
        as_asked(case, server)


def as_asked(case: Case, server: dict[str, object] | None) -> None:
    """Judge a server whose fault shall not be seen by its user."""
    if case.kind == "delete":
        assert server is None
    else:
        assert server is not None
        assert server["status"] == ENDS[case.kind]
        assert server["OS-EXT-STS:task_state"] is None


def test_the_books_agree(trial: Trial) -> None:
    db = world_of(trial.bench).db
    eventually(lambda: not db.read(audit.findings))
    assert trial.books().violations == ()


def test_hosts_run_what_the_books_say(trial: Trial) -> None:
    servers = trial.bench.admin.ask("GET", "/servers/detail?all_tenants=1").body["servers"]
    guests = {g.id: g.host for g in trial.books().guests}
    placed = {s["id"]: s["OS-EXT-SRV-ATTR:host"] for s in servers if s["OS-EXT-SRV-ATTR:host"] is not None}
    assert guests.items() <= placed.items()
    sound = {s["id"] for s in servers if s["status"] != "ERROR"}
    assert sound <= guests.keys()


def test_what_is_not_covered_is_listed_and_nothing_else(trial: Trial) -> None:
    missed = sorted(name for name, outcome in trial.outcomes.items() if not outcome.armed.fired)
    assert missed == sorted(not_covered())


def not_covered() -> list[str]:
    """Read the list of cases whose place is never passed; it may only shrink."""
    lines = NOT_COVERED.read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]
