"""Under eventlet a statement that takes long stops nobody else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.databases import Databases

PROGRAM = """
import sys, threading, time
from nova import concurrency
concurrency.start("eventlet")
from nova.db.engine import Database, in_transaction
from nova.db import owners
from nova.db.tables import metadata

db = Database(sys.argv[1], durable=False)
metadata.create_all(db.engine)
sleep = {"mysql": "SELECT SLEEP(0.5)", "postgresql": "SELECT pg_sleep(0.5)"}.get(db.backend)
seen = []

def work(number):
    def body(tx):
        seen.append(in_transaction())
        if sleep:
            tx.driver(sleep, []).fetchall()
        owners.beat(tx, f"o{number}", "h")
    db.run(body)

begun = time.monotonic()
threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
for thread in threads:
    thread.start()
assert not in_transaction()
for thread in threads:
    thread.join()
took = time.monotonic() - begun
assert took < 2.5, took
assert len(db.read(owners.all)) == 8 and all(seen)
print("green")
"""


@pytest.mark.parametrize("backend", ["sqlite", "mariadb", "postgresql"])
def test_long_statements_run_side_by_side(databases: Databases, backend: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, databases.url(backend)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONPATH": "."},
    )
    assert done.stdout.strip() == "green", done.stderr
