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
from nova.objects.states import Vm
from nova.objects.workflow import WorkflowState
from nova_tools.ports import free_port
from nova_tools.torture import ledger as words
from nova_tools.torture.daemons import Daemon, Role
from nova_tools.torture.faults import Faults
from nova_tools.torture.form import Form
from nova_tools.torture.judge import Judge
from nova_tools.torture.ledger import Entry, Ledger, Server
from nova_tools.torture.proxy import AFTER, BEFORE, Proxy
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


@pytest.fixture
def db(tmp_path: Path) -> Any:
    url = f"sqlite:///{tmp_path}/nova.sqlite"
    migrate.upgrade(url)
    made = Database(url, durable=False)
    yield made
    made.close()


def rules(db: Database, ledger: Ledger) -> set[str]:
    return {violation.rule for violation in Judge(db, ledger).violations()}


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
    ledger.add(Entry(kind="show", client=0, outcome=words.UNAVAILABLE, status=503, seconds=0.1))
    ledger.know(Server(id=ids.new_uuid(), name="t3", client=0))
    assert rules(db, ledger) == {
        "one create, one server", "nothing stuck", "accepted means durable", "failed", "failed, not slow",
    }  # fmt: skip
