"""``nova-manage db`` on a fresh SQLite file, in a process of its own: programs choose their threads first."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import argparse, datetime, sys
from nova import conf as configuration
from nova.cmd.manage import db as manage
from nova.clock import Clock
from nova.db import instances
from nova.db.configured import database
from tests.contract.db.makers import instance

conf = configuration.load([], files=[sys.argv[1]])
parser = argparse.ArgumentParser()
manage.register(parser.add_subparsers(required=True))

def run(word):
    args = parser.parse_args(["db", word])
    print(word, args.run(conf, args))

for word in ("version", "sync", "sync", "version", "check"):
    run(word)
db = database(conf)
long_ago = Clock().now() - datetime.timedelta(days=100)
db.run(lambda tx: instances.insert(tx, [instance(deleted_at=long_ago), instance()]))
db.close()
run("purge")
run("check")
"""


def test_sync_version_purge_and_check(tmp_path: Path) -> None:
    file = tmp_path / "nova.conf"
    file.write_text(f"[database]\nconnection = sqlite:///{tmp_path}/deep/er/nova.sqlite\n")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, str(file)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONPATH": "."},
    )
    assert done.returncode == 0, done.stderr
    told = done.stdout.splitlines()
    assert [line for line in told if line.split()[0] in {"version", "sync", "purge", "check"}] == [
        "version 1", "sync 0", "sync 0", "version 0", "check 0", "purge 0", "check 1",
    ]  # fmt: skip
    assert told[0] == "empty"
    assert "All books agree." in told
    assert "1 instances were removed for good." in told
    assert any(line.startswith("quota: Project p1") for line in told)
