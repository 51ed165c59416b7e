"""The torture's own parts: what is lost on the way to a database, who is started again, who is judged how."""

from __future__ import annotations

import random
import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from nova import ids
from nova.db import instances, migrate, workflows
from nova.db.engine import Database
from nova.db.workflows import REFUSAL
from nova.objects.states import Vm
from nova.objects.workflow import WorkflowState
from nova.rpc.rabbit.brokers import read_url
from nova_tools.ports import free_port
from nova_tools.processes import Supervisor
from nova_tools.torture import ledger as words
from nova_tools.torture.brokers import Brokers
from nova_tools.torture.daemons import Daemon, Role
from nova_tools.torture.evidence import excerpts
from nova_tools.torture.faults import Faults, Inflicted
from nova_tools.torture.form import Form
from nova_tools.torture.judge import Judge
from nova_tools.torture.ledger import Entry, Ledger, Server
from nova_tools.torture.proxy import AFTER, BEFORE, Proxy
from nova_tools.torture.shut import both, shut_by_fault
from nova_tools.torture.windows import Windows
from tests.contract.db.makers import at, instance, workflow
from tests.support.eventually import eventually


class Echo:
    """Answers every packet and remembers it: stands in for a database server."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._listener.getsockname()
        self.heard: list[bytes] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            link, _ = self._listener.accept()
            threading.Thread(target=self._serve, args=(link,), daemon=True).start()

    def _serve(self, link: socket.socket) -> None:
        while data := link.recv(4096):
            self.heard.append(data)
            link.sendall(b"ok")


@pytest.mark.parametrize("commit", [b"\x07\x00\x00\x00\x03COMMIT", b"Q\x00\x00\x00\x0bCOMMIT\x00"])
def test_the_proxy_loses_a_commit_or_its_answer(commit: bytes) -> None:
    server, port = Echo(), free_port()
    proxy = Proxy(port, server.address)

    def ask(data: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as link:
            link.sendall(data)
            return link.recv(16)

    assert ask(commit) == b"ok"
    proxy.lose([AFTER, BEFORE])
    assert ask(b"SELECT 'COMMIT' FROM x") == b"ok"
    assert ask(commit) == b""  # done, and nobody was told
    assert server.heard.count(commit) == 2
    assert ask(commit) == b""  # not done
    assert server.heard.count(commit) == 2
    assert ask(commit) == b"ok"
    assert dict(proxy.lost) == {AFTER: 1, BEFORE: 1}
    proxy.close()


def test_a_daemon_that_ends_is_started_again_after_a_second(tmp_path: Path) -> None:
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    daemon = Daemon(Role(name="d", program="x", config=(), health=1), tmp_path, str(program))
    daemon.start()
    first = daemon.pid
    assert first is not None and not daemon.revive(0.0)
    daemon.kill()
    eventually(lambda: daemon.pid is None)
    assert not daemon.revive(10.0)
    assert not daemon.revive(10.5)
    assert daemon.revive(11.1)
    assert daemon.pid not in (None, first) and daemon.starts == 2
    assert daemon.ended == []  # killed by us: not its own doing
    daemon.stop(5)
    assert not daemon.revive(99.0)


def test_every_fault_comes_once_before_any_comes_again() -> None:
    faults = Faults.__new__(Faults)
    cloud: Any = type("Cloud", (), {"form": Form()})()
    Faults.__init__(faults, cloud, random.Random(1))
    names = faults.names()
    assert sorted(faults.choose() for _ in names) == sorted(names)
    assert faults.choose() in names


class Struck:
    """Stands in for a daemon and lets everything be done to it."""

    def __init__(self, name: str) -> None:
        self.role = Role(name=name, program=name.split("-")[0], config=(), health=1)

    def kill(self) -> bool:
        return True

    freeze = thaw = kill


@pytest.mark.parametrize(("fault", "deed"), [("kill", "killed"), ("freeze", "frozen")])
def test_every_daemon_gets_its_share_of_kills_and_freezes(fault: str, deed: str) -> None:
    daemons = [Struck(f"compute-{n}") for n in range(7)]
    cloud: Any = type("Cloud", (), {"form": Form(), "daemons": daemons})()
    faults = Faults(cloud, random.Random(1))
    faults.stop()  # freezes do not wait
    for _ in range(2 * len(daemons)):
        faults.inflict(fault)
    assert faults.shares[deed] == {daemon.role.name: 2 for daemon in daemons}


@pytest.fixture
def db(tmp_path: Path) -> Any:
    url = f"sqlite:///{tmp_path}/nova.sqlite"
    migrate.upgrade(url)
    made = Database(url, durable=False)
    yield made
    made.close()


CALM = Windows([], 60.0)
"""Nothing was ever wrong."""
STORM = Windows([Inflicted("kill", "api-1", began=0.0, over=1000.0)], 60.0)


def rules(db: Database, ledger: Ledger, windows: Windows = STORM) -> set[str]:
    return {violation.rule for violation in Judge(db, ledger, windows).violations()}


def accepted(kind: str, **values: Any) -> Entry:
    made = {"kind": kind, "client": 0, "outcome": words.ACCEPTED, "status": 202}
    return Entry(**(made | values))


def test_the_judge_is_content_with_what_ended_as_asked(db: Database) -> None:
    one = instance(display_name="t1", vm_state=Vm.STOPPED, task_state=None, metadata={"k": "v"})
    row = workflow(instance_id=one.id, state=WorkflowState.DONE, finished_at=at(1))
    db.run(lambda tx: instances.insert(tx, [one]))
    db.run(lambda tx: workflows.insert(tx, [row]))
    ledger = Ledger()
    ledger.add(accepted("create", tag="t1", request_id=row.request_id))
    server = Server(id=one.id, name="t1", client=0, expected="SHUTOFF", metadata={"k": {"v"}})
    ledger.know(server)
    assert rules(db, ledger) == set()
    server.expected, server.metadata = "ACTIVE", {"k": {"other"}}
    server.last = accepted("start", server=one.id, request_id="req-none")
    assert rules(db, ledger) == {"ended as asked", "accepted means durable"}
    server.doubt()
    server.metadata = {}
    assert rules(db, ledger) == set()


def test_the_judge_finds_what_was_lost_doubled_failed_or_is_stuck(db: Database) -> None:
    twins = [instance(display_name="t2") for _ in range(2)]
    busy = workflow(instance_id=twins[0].id)
    db.run(lambda tx: instances.insert(tx, twins))
    db.run(lambda tx: workflows.insert(tx, [busy]))
    ledger = Ledger()
    ledger.add(Entry(kind="create", client=0, tag="t2", outcome=words.LOST))
    ledger.add(accepted("stop", server=twins[0].id, request_id=busy.request_id))
    ledger.add(accepted("start", server=twins[1].id, request_id="req-nowhere"))
    ledger.add(Entry(kind="show", client=0, outcome=words.FAILED, status=500))
    ledger.add(Entry(kind="show", client=0, outcome=words.UNAVAILABLE, status=503, ended=0.1))
    ledger.know(Server(id=ids.new_uuid(), name="t3", client=0))
    assert rules(db, ledger) == {
        "one create, one server", "nothing stuck", "accepted means durable", "failed", "failed, not slow",
    }  # fmt: skip


def test_the_judge_takes_a_refusal_that_is_kept_for_a_refusal(db: Database) -> None:
    done, kept = workflow(request_id="req-done"), workflow(request_id="req-kept", kind=REFUSAL)
    db.run(lambda tx: workflows.insert(tx, [done, kept]))
    for request, broken in ((kept.request_id, set()), (done.request_id, {"refused means not done"})):
        ledger = Ledger()
        refused = Entry(kind="stop", client=0, outcome=words.REFUSED, status=403, request_id=request)
        ledger.add(refused)
        assert rules(db, ledger) == broken


def unavailable(kind: str, seconds: float, **values: Any) -> Entry:
    made = {"kind": kind, "client": 0, "status": 503, "outcome": words.UNAVAILABLE, "retry_after": "5"}
    return Entry(**(made | {"began": 10.0, "ended": 10.0 + seconds} | values))


@pytest.mark.parametrize(
    ("entry", "in_a_storm", "in_calm"),
    [
        (Entry(kind="show", client=0, outcome=words.ACCEPTED, began=10.0, ended=19.0), set(), set()),
        (Entry(kind="show", client=0, outcome=words.ACCEPTED, began=10.0, ended=21.0), set(), {"slow"}),
        (Entry(kind="show", client=0, outcome=words.REFUSED, began=10.0, ended=21.0), set(), {"slow"}),
        (Entry(kind="show", client=0, outcome=words.LOST, began=10.0, ended=11.0), set(), {"lost"}),
        (unavailable("show", 12.0), set(), {"failed"}),
        (unavailable("show", 12.0, retry_after=None), {"failed, not slow"}, {"failed", "failed, not slow"}),
    ],
)
def test_an_answer_is_late_lost_or_unavailable_only_while_a_fault_is_felt(
    db: Database, entry: Entry, in_a_storm: set[str], in_calm: set[str]
) -> None:
    ledger = Ledger()
    ledger.add(entry)
    assert rules(db, ledger, STORM) == in_a_storm
    assert rules(db, ledger, CALM) == in_calm


def test_a_fault_excuses_until_all_held_again_and_never_beyond_what_is_promised() -> None:
    healed = Inflicted("kill", "api-1", began=10.0, over=11.0, healed_s=4.0)
    slow = Inflicted("kill", "api-1", began=100.0, over=101.0, healed_s=90.0)
    windows = Windows([healed, slow], 60.0)
    assert windows.excuse(5.0, 10.5)
    assert windows.excuse(14.9, 20.0)
    assert not windows.excuse(15.1, 99.0)
    assert windows.excuse(160.0, 170.0)
    assert not windows.excuse(162.0, 170.0)


def test_what_was_denied_must_not_have_been_done(db: Database) -> None:
    one = instance(display_name="t4")
    done = workflow(instance_id=one.id, kind="delete", state=WorkflowState.DONE, finished_at=at(1))
    db.run(lambda tx: instances.insert(tx, [one]))
    db.run(lambda tx: workflows.insert(tx, [done]))
    told = "The message queue does not answer at the moment. Nothing was changed; please try again."
    ledger = Ledger()
    ledger.add(unavailable("delete", 12.0, server=one.id, request_id=done.request_id, told=told))
    assert rules(db, ledger) == {"refused means not done"}
    ledger.entries[
        0
    ].told = "The database was lost while it answered. Please look whether the change was made."
    assert rules(db, ledger) == set()
    ledger.entries[0].outcome, ledger.entries[0].status = words.REFUSED, 409
    assert rules(db, ledger) == {"refused means not done"}


def test_doors_are_shut_from_the_first_question_until_one_is_answered() -> None:
    one = [(0.0, 0.1), (1.0, 7.0), (8.0, 8.1)]
    other = [(0.2, 0.3), (3.0, 6.0), (6.5, 9.0)]
    assert both(one, other) == [(3.0, 6.0), (6.5, 7.0), (8.0, 8.1)]
    windows = Windows([Inflicted("kill", "api-1", began=2.0, over=4.0, healed_s=0.5)], 60.0)
    told = {"one_p50": 6.0, "one_max": 6.0, "all_p50": 3.0, "all_max": 3.0}
    assert shut_by_fault(windows.all, [one, other]) == {"kill": told}


def test_what_was_broken_is_told_with_what_the_logs_say_of_it(tmp_path: Path) -> None:
    request, server = ids.new_request_id(), ids.new_uuid()
    (tmp_path / "api-1.log").write_text(
        f"2030-01-01 00:00:02.000 7 INFO nova.x [{request} u p] answered\n"
        f"2030-01-01 00:00:09.000 7 INFO nova.x [{ids.new_request_id()} u p] [instance: {server}] later\n"
    )
    (tmp_path / "conductor-1.log").write_text(
        f"2030-01-01 00:00:01.000 8 INFO nova.y [{request} u p] took it\n"
    )
    about, whole = f"delete of {server} ({request}) was lost", f"server {server} is not there"
    found = excerpts(tmp_path, [about, whole, "nothing is named here"])
    assert [line.split(":")[0] for line in found[about]] == ["conductor-1", "api-1"]
    assert len(found[whole]) == 1 and "later" in found[whole][0]
    assert found["nothing is named here"] == []
    assert len(excerpts(tmp_path, [about + server], most=1)[about + server]) <= 2


def test_daemons_are_told_of_every_node_of_a_cluster(tmp_path: Path) -> None:
    brokers = Brokers(tmp_path, Supervisor(tmp_path / "run", tmp_path / "logs"), 3)
    assert [broker.port for broker in read_url(brokers.transport_url).brokers] == [
        n.port for n in brokers.nodes
    ]
    assert len({node.node for node in brokers.nodes}) == 3
    assert len({node.epmd_port for node in brokers.nodes}) == 1  # or they would not find each other
