"""A process that stands still within a transaction: the server ends it, so that its locks hold up nobody."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from nova.db import owners
from nova.db.engine import Database
from tests.support import frozen_writer
from tests.support.databases import Databases, opened
from tests.support.eventually import eventually


@pytest.fixture(params=["mariadb", "postgresql"])
def shared(request: pytest.FixtureRequest, databases: Databases) -> Iterator[Database]:
    """SQLite has no server that could end anything: its one writer is another process's to wait for."""
    with contextmanager(opened)(databases, request.param, patience_s=120.0) as db:
        yield db


def test_the_locks_of_a_process_that_stands_still_are_given_up(shared: Database) -> None:
    shared.run(lambda tx: owners.beat(tx, "a", "h"))
    url = shared.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", frozen_writer.__name__, url]
    writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "held\n"
        eventually(lambda: _stands_still(writer.pid), within_s=30, what="the process stands still")
        shared.run(lambda tx: owners.beat(tx, "a", "h"))
        assert shared.read(owners.all) == [("a", 2)]
        assert _stands_still(writer.pid)
        os.kill(writer.pid, signal.SIGCONT)
        assert writer.stdout.readline() == "done at attempt 2\n", "what it did before was undone"
        assert shared.read(owners.all) == [("a", 3)]
    finally:
        writer.kill()
        writer.wait(30)


def _stands_still(pid: int) -> bool:
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
