"""Transactions: what is tried again, what is told, and how databases that go away are borne."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from nova.clock import StoppedClock
from nova.db import owners
from nova.db.engine import Database, TryAgain, Tx, in_transaction
from nova.db.schema import arg
from nova.db.statements import Statement
from nova.errors.database import CommitUnknown, DatabaseUnavailable
from nova.errors.operating import OptionNotUnderstood
from nova_tools.ports import free_port
from nova_tools.services.mariadb import MariaDB
from nova_tools.services.postgresql import PostgreSQL
from tests.support.eventually import eventually
from tests.support.services import running, scratch_directory

O = owners.OWNERS.c  # noqa: E741
GROW = Statement(sa.update(owners.OWNERS).values(beats=O.beats + 1).where(O.id == arg("id")))
SHOW = Statement(sa.select(O.beats).where(O.id == arg("id")))
INSERT = Statement(
    sa.insert(owners.OWNERS).values(id=arg("id"), host="h", beats=0, seen_at="2030-01-01T00:00:00.000000Z")
)


def grow(tx: Tx, name: str = "a") -> int:
    return tx.change(GROW, id=name)


def beats(db: Database, name: str = "a") -> int | None:
    row = db.read(lambda tx: tx.row(SHOW, id=name))
    return row[0] if row else None


@pytest.fixture
def counted(db: Database) -> Database:
    for name in ("a", "b"):
        db.run(lambda tx, n=name: tx.change(INSERT, id=n))
    return db


def test_a_block_that_raises_changes_nothing(counted: Database) -> None:
    with pytest.raises(ZeroDivisionError), counted.tx() as tx:
        grow(tx)
        _ = 1 // 0
    assert beats(counted) == 0
    with counted.tx() as tx:
        grow(tx)
        assert in_transaction()
    assert beats(counted) == 1
    assert not in_transaction()


def test_transactions_do_not_nest(counted: Database) -> None:
    with counted.tx():
        for again in (counted.tx, lambda: counted.read(lambda tx: tx.row(SHOW, id="a"))):
            with pytest.raises(RuntimeError, match="open already"), again():  # type: ignore[union-attr]
                pass
    assert counted.run(grow) == 1


def test_work_that_found_its_ground_moved_starts_anew(counted: Database) -> None:
    calls = []

    def work(tx: Tx) -> int:
        calls.append(grow(tx))
        if len(calls) < 3:
            raise TryAgain()
        return len(calls)

    assert counted.run(work) == 3
    assert beats(counted) == 1


def test_once_is_one_statement_that_commits_by_itself(counted: Database) -> None:
    before = counted.statements
    assert counted.once(grow) == 1
    assert counted.statements - before == 1
    assert beats(counted) == 1
    with pytest.raises(RuntimeError, match="one statement"):
        counted.once(lambda tx: grow(tx) + grow(tx))


def test_statements_are_counted_and_shown(counted: Database) -> None:
    seen: list[str] = []
    counted.observer = seen.append
    before = counted.statements
    with counted.tx() as tx:
        grow(tx)
        grow(tx)
        assert tx.statements == 2
    assert counted.statements - before == 2
    assert [text.split()[0] for text in seen] == ["UPDATE", "UPDATE"]


@pytest.mark.parametrize("moment", ["begin", "commit"])
def test_a_connection_lost_before_the_commit_is_survived(counted: Database, moment: str) -> None:
    lost = iter([moment])

    def disturb(at: str) -> None:
        if at == moment and next(lost, None):
            raise ConnectionResetError("cable pulled")

    counted.disturb = disturb
    assert counted.run(grow) == 1
    assert beats(counted) == 1


def test_a_lost_answer_of_a_commit_is_not_guessed(counted: Database) -> None:
    lost = iter([True])

    def disturb(at: str) -> None:
        if at == "committed" and next(lost, False):
            raise ConnectionResetError("cable pulled")

    counted.disturb = disturb
    with pytest.raises(CommitUnknown):
        counted.run(grow)
    assert beats(counted) == 1
    lost = iter([True])
    assert counted.run(grow, settled=lambda tx: 77 if tx.row(SHOW, id="a") == (2,) else None) == 77
    assert beats(counted) == 2
    lost = iter([True])
    assert counted.run(grow, settled=lambda tx: None) == 1
    assert beats(counted) == 4


def test_when_every_answer_to_a_commit_is_lost_others_get_their_turn_and_it_ends(counted: Database) -> None:
    paused: list[float] = []

    class Passing(StoppedClock):
        def sleep(self, seconds: float) -> None:
            paused.append(seconds)
            super().sleep(seconds)

    url = counted.engine.url.render_as_string(hide_password=False)
    db = Database(url, clock=Passing(), patience_s=5.0, durable=False)

    def disturb(at: str) -> None:
        if at == "committed":
            raise ConnectionResetError("cable pulled")

    db.disturb = disturb
    with pytest.raises(CommitUnknown):
        db.run(grow, settled=lambda tx: None)
    db.close()
    # A second between the last ones, less before: it neither spins nor gives up early.
    assert 5 < len(paused) < 20 and 4.0 < sum(paused) <= 5.0
    assert beats(counted) == len(paused) + 1


def test_connections_that_a_burst_opened_are_kept(counted: Database) -> None:
    db = Database(counted.engine.url.render_as_string(hide_password=False), durable=False)
    opened: list[int] = []
    sa.event.listen(db.engine, "connect", lambda *_: opened.append(1))

    def burst() -> None:
        together = threading.Barrier(20)

        def use(tx: Tx) -> None:
            tx.row(SHOW, id="a")
            together.wait(20)

        threads = [threading.Thread(target=db.read, args=(use,)) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)

    burst()
    burst()
    db.close()
    assert len(opened) == 20


def test_two_that_lock_each_other_up_both_get_through(counted: Database) -> None:
    if counted.backend == "sqlite":
        return  # its writers take turns
    first = threading.Barrier(2)
    met: list[str] = []

    def cross(one: str, other: str) -> None:
        def work(tx: Tx) -> None:
            grow(tx, one)
            if one not in met:
                met.append(one)
                first.wait(20)
            grow(tx, other)

        counted.run(work)

    threads = [threading.Thread(target=cross, args=pair) for pair in (("a", "b"), ("b", "a"))]
    before = counted.retries
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (beats(counted, "a"), beats(counted, "b")) == (2, 2)
    assert counted.retries > before


def test_a_connection_that_the_server_ends_is_replaced(counted: Database) -> None:
    if counted.backend == "sqlite":
        return
    mine = "SELECT CONNECTION_ID()" if counted.backend == "mysql" else "SELECT pg_backend_pid()"
    end = "KILL {}" if counted.backend == "mysql" else "SELECT pg_terminate_backend({})"
    calls: list[int] = []

    def work(tx: Tx) -> int:
        number = tx.driver(mine, []).fetchone()[0]
        calls.append(number)
        if len(calls) == 1:
            with counted.engine.connect() as other:
                other.exec_driver_sql(end.format(number))
        return grow(tx)

    assert counted.run(work) == 1
    assert len(calls) == 2 and calls[0] != calls[1]
    assert beats(counted) == 1


def test_idle_connections_are_not_lost_one_by_one(counted: Database) -> None:
    if counted.backend == "sqlite":
        return
    mine = "SELECT CONNECTION_ID()" if counted.backend == "mysql" else "SELECT pg_backend_pid()"
    end = "KILL {}" if counted.backend == "mysql" else "SELECT pg_terminate_backend({})"
    together = threading.Barrier(4)
    numbers: list[int] = []

    def use(tx: Tx) -> None:
        numbers.append(tx.driver(mine, []).fetchone()[0])
        together.wait(20)

    threads = [threading.Thread(target=lambda: counted.run(use)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    other = sa.create_engine(counted.engine.url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with other.connect() as connection:
        for number in set(numbers):
            connection.exec_driver_sql(end.format(number))
    before = counted.retries
    assert [counted.run(grow) for _ in range(6)] == [1] * 6
    assert counted.retries - before == 1
    assert counted.once(grow, repeatable=True) == 1


def test_a_file_that_another_process_writes_is_waited_for(counted: Database) -> None:
    if counted.backend != "sqlite":
        return
    other = sqlite3.connect(str(counted.engine.url.database), isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.5, lambda: other.execute("COMMIT"))
    timer.start()
    assert counted.run(grow) == 1
    timer.join()
    other.close()


def test_patience_has_an_end() -> None:
    db = Database(f"mysql+pymysql://nova:x@127.0.0.1:{free_port()}/nova", patience_s=0.3)
    begun = time.monotonic()
    with pytest.raises(DatabaseUnavailable):
        db.read(lambda tx: tx.row(SHOW, id="a"))
    assert time.monotonic() - begun < 5
    db.close()


def test_an_unknown_database_is_refused() -> None:
    with pytest.raises(OptionNotUnderstood, match="oracle"):
        Database("oracle://x/y")


@pytest.fixture(params=[MariaDB, PostgreSQL])
def server(request: pytest.FixtureRequest) -> Iterator[MariaDB | PostgreSQL]:
    with scratch_directory("restart") as directory:
        made = request.param(directory=directory, port=free_port(), durable=False)
        made.prepare()
        yield made


def test_calls_during_a_restart_are_slow_not_failed(server: MariaDB | PostgreSQL) -> None:
    with running(server.directory, server.program()):
        server.create("nova")
        db = Database(server.url("nova"), patience_s=60)
        owners.OWNERS.create(db.engine)
        db.run(lambda tx: tx.change(INSERT, id="a"))
    done: list[int] = []
    unknown: list[CommitUnknown] = []
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            try:
                done.append(db.run(grow))
            except CommitUnknown as error:
                unknown.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    with running(server.directory, server.program()):
        for thread in threads:
            thread.start()
        eventually(lambda: len(done) > 50, within_s=60)
    time.sleep(0.5)
    before = len(done)
    with running(server.directory, server.program()):
        eventually(lambda: len(done) > before + 50, within_s=60)
        stop.set()
        for thread in threads:
            thread.join(60)
        told = beats(db)
        assert told is not None
        assert len(done) <= told <= len(done) + len(unknown)
        db.close()
