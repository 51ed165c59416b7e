"""All cases of some faults at the same time in one cloud; then each is judged alone, all books together."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import functools
import pathlib
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
import pytest

from nova.cmd.manage import workflows as manage
from nova.compute import daemon as compute_daemon
from nova.conductor.engine import engine, inject
from nova.conductor.world import World
from nova.db import workflows
from nova.errors.operating import WorkflowOver
from nova.network import daemon as network_daemon
from nova.objects.ids import InstanceId
from nova.virt.fake.books import Books
from nova.virt.fake.store import read_books
from tests.support import invariants
from tests.support.cloud import Answer, Bench, eventually
from tests.support.conductors import conductor, gate_of, kill
from tests.support.shooter import Armed, Hands, Shooter
from tests.support.workflows import Case, Fault, world_of

EXTRA = """
[conductor]
lease = {lease}
job_ask = 1.0
job_ask_most = 4.0
{conductor}
[DEFAULT]
sync_power_state_interval = 2
[fake]
world = {world}
vcpus = 1000
ram_mb = 1000000
disk_gb = 100000
[rpc]
resend_after = {resend_after}
pools = conductor:32,conductor-reports:32
"""
SETTLED_S = 120.0
PAUSE_S = 0.2
ENDS = {"boot": "ACTIVE", "act": "SHUTOFF", "snapshot": "ACTIVE"}
FAILED = {"boot": "ERROR", "act": "ACTIVE", "snapshot": "ACTIVE", "delete": "ERROR"}
REASONS = ("The test wanted this to fail.", "An unexpected problem stopped the action;")
BUSY = {
    "boot": r"vm_state building",
    "act": r"task_state powering-off",
    "snapshot": r"task_state image_\w+",
    "delete": r"task_state deleting",
}


@contextlib.contextmanager
def hurried() -> Iterator[None]:
    """Batches of one, so that a fault hits the server it is meant for, and short pauses."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "BATCH", 1)
        patch.setattr(engine, "UNDO_TRIES", engine.SURPRISES)
        patch.setattr(engine, "PAUSE_S", 0.2)
        patch.setattr(compute_daemon, "REPORT_AGAIN_S", 0.5)
        patch.setattr(network_daemon, "REPORT_AGAIN_S", 0.5)
        yield


def options(
    world: pathlib.Path, *, resend_after: float = 15.0, lease: float = 1.0, conductor: str = ""
) -> str:
    """Return the options of a cloud for a trial whose fake hosts keep their books below ``world``."""
    return EXTRA.format(world=world, resend_after=resend_after, lease=lease, conductor=conductor)


@dataclasses.dataclass
class Outcome:
    """What became of the server of a case."""

    armed: Armed
    server: dict[str, Any] | None


class Trial:
    """A cloud in which cases are tried."""

    def __init__(self, bench: Bench, world: pathlib.Path) -> None:
        self.bench = bench
        self.world = world
        self.outcomes: dict[str, Outcome] = {}
        self.asked = 0
        self.armed: list[Armed] = []
        self.networks = self._served()
        self.shooter = Shooter(Hands(delete=self.delete, cancel=self.cancel, second=self.second))

    # -- what users and operators do ----------------------------------------------------------------------

    def boot(self, count: int, name: str) -> list[str]:
        """Create many servers with one request."""
        wish = {"name": name, "imageRef": self.bench.image, "flavorRef": "1", "networks": self.networks}
        asked = {"server": wish | {"min_count": count, "max_count": count}}
        answer = self.bench.demo.ask("POST", "/servers", asked)
        assert answer.status == 202, answer
        self.asked += count
        return [s["id"] for s in self.servers(name)]

    def _served(self) -> Any:
        found = self.bench.admin.ask("GET", "/os-networks", version="2.1").body["networks"]
        served = sorted((n["label"], n["id"]) for n in found if n["label"].startswith("served"))
        return [{"uuid": uuid} for _, uuid in served] or "none"

    def servers(self, name: str) -> list[dict[str, Any]]:
        """Return the servers whose name has these letters."""
        found: list[dict[str, Any]] = self.bench.demo.ask("GET", f"/servers/detail?name={name}").body[
            "servers"
        ]
        return found

    def begin(self, server: str, case: Case) -> None:
        """Ask for the action of a case."""
        if case.kind == "delete":
            self.delete(server)
            return
        if case.kind == "snapshot":
            answer = self.bench.demo.act(server, "createImage", {"name": str(case)})
        else:
            answer = self.bench.demo.act(server, "os-stop")
        assert answer.status == 202, answer

    def delete(self, server: str) -> Answer:
        """Ask for a server to be deleted."""
        answer = self.bench.demo.ask("DELETE", f"/servers/{server}")
        assert answer.status in (204, 404), answer  # 404: an earlier delete was quicker
        return answer

    def second(self, server: str) -> Answer:
        """Ask for something while something is under way."""
        return self.bench.demo.act(server, "os-stop")

    def cancel(self, server: str) -> list[int]:
        """Cancel what runs on a server, as an operator does; return how the commands ended."""
        found = self.first.db.read(lambda tx: workflows.running_of(tx, [InstanceId(server)]))
        return [self._cancel(row.id) for row in found]

    def _cancel(self, workflow: str) -> int:
        try:
            return manage.cancel(self.bench.conf, argparse.Namespace(workflow=workflow))
        except WorkflowOver:
            return 1

    # -- how the cloud is ---------------------------------------------------------------------------------

    @property
    def first(self) -> World:
        """The surroundings of the first conductor."""
        return world_of(self.bench)

    def running(self) -> list[str]:
        """Name the workflows that have not ended."""
        found = self.first.db.read(workflows.running)
        return [f"{w.kind} of {w.instance_id}: {w.state.value} at {w.step}" for w in found]

    def books(self) -> Books:
        """Return what the fake hosts hold."""
        return read_books(self.world)

    def check(self) -> None:
        """Raise unless everything agrees; servers are named by their cases."""
        try:
            invariants.check(self.bench, self.first.db, self.books, self.asked)
        except AssertionError as error:
            told = str(error)
            for one in self.armed:
                told = told.replace(one.server, str(one.case))
            raise AssertionError(told) from None

    # -- all cases ----------------------------------------------------------------------------------------

    def attempt(self, cases: Sequence[Case]) -> None:
        """Start all cases and wait until nothing is under way any more."""
        self.start(cases, range(self._conductors()))
        self.settle()

    def _conductors(self) -> int:
        return sum(1 for d in self.bench.cloud.daemons if d.name == "nova-conductor")

    def start(self, cases: Sequence[Case], conductors: Sequence[int]) -> None:
        """Arm a server for each case and ask for its action."""
        armed = [Armed(case, len(conductors)) for case in cases]
        self.armed += armed
        later = [a for a in armed if a.case.kind != "boot"]
        news = [a for a in armed if a.case.kind == "boot"]
        olds: list[str] = []
        if later:
            olds = self.boot(len(later), "old")
            eventually(lambda: _all(self.servers("old"), "ACTIVE"), timeout_s=SETTLED_S, pause_s=PAUSE_S)
        self.shooter.waiting.extend(news)
        for number in conductors:
            self.shooter.attach(world_of(self.bench, number))
        if news:
            self.boot(len(news), "new")
        for server, one in zip(olds, later, strict=True):
            self.shooter.arm(server, one)
            self.begin(server, one.case)

    def settle(self) -> None:
        """Wait until nothing is under way and nobody asks for anything; note what became of the servers."""

        def quiet() -> bool:
            return self._all_ended() and not self.shooter.asking

        for _ in range(2):  # what was asked for at the last moment has begun by the second look
            eventually(quiet, timeout_s=SETTLED_S, pause_s=PAUSE_S)
        for one in self.armed:
            answer = eventually(functools.partial(self._idle, one.server))
            assert answer is not None
            self.outcomes[str(one.case)] = Outcome(one, answer.body)
        self.shooter.disarm()

    def _idle(self, server: str) -> Answer | None:
        """Return the server, or that it is gone, when no repair is at it."""
        answer = self.bench.admin.ask("GET", f"/servers/{server}")
        if answer.status == 404:
            answer.body = None
            return answer
        answer.body = answer.body["server"]
        return answer if answer.body["OS-EXT-STS:task_state"] is None else None

    def forget_nothing(self) -> None:
        """Let the first conductor not take up again what it dropped: it is dying."""
        self.first.settings = msgspec.structs.replace(self.first.settings, lease_s=1e6)

    def take_over(self, *, frozen: bool) -> None:
        """Let the first conductor die, or stand still, where its cases say; another one takes over."""
        cloud = self.bench.cloud
        first = next(d for d in cloud.daemons if d.name == "nova-conductor")
        self.wait_for_points()
        if frozen:
            gate_of(first).freeze()
        else:
            kill(first)
        second = conductor(cloud.surroundings, "conductor-2")
        cloud.daemons.insert(0, second)
        second.start()
        assert second.wait_serving(30), second.waiting_for
        self.settle_frozen() if frozen else self.settle()

    def wait_for_points(self) -> None:
        """Wait until every case has come to its point."""
        eventually(self._nothing_moves, timeout_s=SETTLED_S, pause_s=PAUSE_S)

    def settle_frozen(self) -> None:
        """Wait until the second conductor has done everything, thaw the first, and see what it does."""
        eventually(self._all_ended, timeout_s=SETTLED_S, pause_s=PAUSE_S)
        first = next(d for d in reversed(self.bench.cloud.daemons) if d.name == "nova-conductor")
        self.shooter.thaw.set()
        gate_of(first).thaw()

        def put_down() -> bool:
            held = world_of(self.bench, 1).engine.held()
            assert not held, f"it holds on to {held}"
            return True

        eventually(put_down, timeout_s=SETTLED_S, pause_s=PAUSE_S)
        self.settle()

    def _all_ended(self) -> bool:
        running = self.running()
        assert not running, f"{len(running)} workflows run: {running[:5]}"
        return True

    def _nothing_moves(self) -> bool:
        """Tell whether all that still runs stands at its point in the first conductor."""
        found = {row.instance_id for row in self.first.db.read(workflows.running)}
        waits = [a for a in self.armed if not a.fired and (not a.server or a.server in found)]
        assert not waits, f"{len(waits)} have not come to their points, such as {waits[0].case}"
        assert found <= self.shooter.dead, f"{len(found - self.shooter.dead)} run on"
        return True

    def judge(self) -> None:
        """Judge every case, then all books, also when all servers are gone."""
        unfired = [str(a.case) for a in self.armed if not a.fired]
        assert unfired == []
        wrong = []
        for name, outcome in self.outcomes.items():
            try:
                judge(outcome)
            except AssertionError as error:
                wrong.append(f"{name}: {error}; {outcome.server}")
        assert not wrong, "\n".join(wrong)
        self.check()
        self.clear()
        self.check()

    def clear(self) -> None:
        """Delete all servers: then nobody holds anything."""
        for server in self.bench.admin.ask("GET", "/servers?all_tenants=1").body["servers"]:
            self.bench.admin.ask("DELETE", f"/servers/{server['id']}")
        eventually(
            lambda: self.bench.admin.ask("GET", "/servers?all_tenants=1").body["servers"] == [],
            timeout_s=SETTLED_S,
            pause_s=PAUSE_S,
        )
        eventually(self._all_ended, timeout_s=SETTLED_S, pause_s=PAUSE_S)
        eventually(lambda: self.books().guests == (), timeout_s=SETTLED_S, pause_s=PAUSE_S)
        usage = self.bench.demo.ask("GET", "/limits").body["limits"]["absolute"]
        held = {name: usage[name] for name in ("totalInstancesUsed", "totalCoresUsed", "totalRAMUsed")}
        assert held == dict.fromkeys(held, 0)


def _all(servers: list[dict[str, Any]], status: str) -> bool:
    return all(s["status"] == status for s in servers)


# -- judging -------------------------------------------------------------------------------------------------


def judge(outcome: Outcome) -> None:
    """Raise ``AssertionError`` unless the server of a case ended as asked, or with a fault that says why."""
    case, server = outcome.armed.case, outcome.server
    assert outcome.armed.problems == []
    _JUDGES.get(case.fault, _judge_plain)(outcome)
    if server is not None:
        assert server["OS-EXT-STS:task_state"] is None


def _judge_plain(outcome: Outcome) -> None:
    case, server = outcome.armed.case, outcome.server
    if case.is_open and (server is None or server["status"] != FAILED[case.kind]):
        as_asked(case, server)
    elif case.fails:
        failed(case, server, REASONS[case.fault is Fault.BUG and not case.goes_back])
    else:
        as_asked(case, server)


def _judge_delete(outcome: Outcome) -> None:
    assert outcome.server is None


def _judge_second(outcome: Outcome) -> None:
    case = outcome.armed.case
    (answer,) = outcome.armed.answers
    if case.kind == "delete" and answer.status == 404:
        _judge_plain(outcome)  # the question was lost and asked again: the server was gone by then
        return
    assert answer.status == 409, answer
    words = rf"^Cannot 'stop' instance {outcome.armed.server} while it is in {BUSY[case.kind]}$"
    assert re.match(words, answer.body["conflictingRequest"]["message"]), answer
    _judge_plain(outcome)


def _judge_cancel(outcome: Outcome) -> None:
    case, server = outcome.armed.case, outcome.server
    (codes,) = outcome.armed.answers
    if not case.is_cancelled:
        assert set(codes) <= {1}
        _judge_plain(outcome)
    elif case.point == inject.AFTER_SEND and set(codes) <= {1}:
        as_asked(case, server)  # the host was quicker
    else:
        assert codes == [0]
        failed(case, server, "The action ")


def as_asked(case: Case, server: dict[str, Any] | None) -> None:
    """Judge a server whose fault shall not be seen by its user."""
    if case.kind == "delete":
        assert server is None
    else:
        assert server is not None
        assert server["status"] == ENDS[case.kind], server.get("fault")


def failed(case: Case, server: dict[str, Any] | None, reason: str) -> None:
    """Judge a server whose action must have failed."""
    assert server is not None
    if case.kind == "act" and server["status"] == ENDS["act"]:
        return  # the host had done it already, and its guests are believed
    assert server["status"] == FAILED[case.kind]
    if server["status"] == "ERROR":
        assert server["fault"]["message"].startswith(reason)


_JUDGES: dict[Fault, Callable[[Outcome], None]] = {
    Fault.DELETE: _judge_delete,
    Fault.SECOND: _judge_second,
    Fault.CANCEL: _judge_cancel,
}
