"""``nova-manage doctor`` on a fresh SQLite file, in a process of its own: it chooses its threads first."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import argparse, sys
from nova import conf as configuration
from nova.cmd.manage import doctor
from nova.db import instances, migrate, workflows
from nova.db.configured import database, prepared_url
from tests.contract.db.makers import instance, workflow

conf = configuration.load([], files=[sys.argv[1]])
migrate.upgrade(prepared_url(conf))
parser = argparse.ArgumentParser()
doctor.register(parser.add_subparsers(required=True))

def run():
    args = parser.parse_args(["doctor", "--wait", "0.1"])
    print("code", args.run(conf, args))

run()
db = database(conf)
db.run(lambda tx: workflows.insert(tx, [workflow()]))
run()
db.run(lambda tx: instances.insert(tx, [instance()]))
run()
db.close()
"""


def test_a_sound_cloud_one_with_stuck_work_and_one_with_wrong_books(tmp_path: Path) -> None:
    file = tmp_path / "nova.conf"
    file.write_text(f"[database]\nconnection = sqlite:///{tmp_path}/nova.sqlite\n")
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
    assert told[0].startswith("Hosts were not asked what they hold: ")
    assert told[1:3] == ["All is well.", "code 0"]
    assert [line for line in told if line.startswith("code")] == ["code 0", "code 1", "code 1"]
    assert any(line.startswith("stuck: Workflow ") for line in told)
    assert any(line.startswith("quota: Project p1 ") for line in told)
