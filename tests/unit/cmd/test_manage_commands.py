"""``nova-manage`` and ``nova-status`` as an operator types them, in processes of their own, on SQLite."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PROGRAM = """
import contextlib, io, json, sys
import nova.cmd
from nova import conf as configuration
from nova.cmd import status
from nova.cmd.manage import main as manage
from nova.db import services, workflows
from nova.db.configured import database
from nova.objects.host import ServiceBeat
from tests.contract.db.makers import workflow

MAINS = {"nova-manage": manage.main, "nova-status": status.main}

def fill(argv):
    db = database(configuration.load([], files=[argv[1]]))
    db.run(lambda tx: services.beat(tx, [ServiceBeat(host="h1", binary="nova-compute", topic="compute")]))
    db.run(lambda tx: workflows.insert(tx, [workflow()]))
    db.close()
    return 0

def run(program, *words):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = MAINS.get(program, fill)(["--config-file", sys.argv[1], *words])
        except SystemExit as end:
            code = end.code
    return code, out.getvalue(), err.getvalue()

print(json.dumps([run(*line) for line in json.load(sys.stdin)]))
"""
Line = tuple[str, ...]
Told = tuple[int, str, str]
"""Exit code, stdout, stderr."""


class Operator:
    """Somebody at a shell, who types many lines into one process: starting it is what costs."""

    def __init__(self, home: Path) -> None:
        self.conf = home / "nova.conf"
        (home / "images").mkdir()
        self.conf.write_text(
            f"[DEFAULT]\nstate_path = {home}\n[database]\nconnection = sqlite:///{home}/nova.sqlite\n"
            f"[image]\nstore = directory\ndirectory = {home}/images\n"
        )

    def types(self, *lines: Line) -> list[Told]:
        """Run lines in order."""
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", PROGRAM, str(self.conf)],
            input=json.dumps(lines), capture_output=True, text=True, timeout=120, check=False, cwd=ROOT,
            env={**os.environ, "PYTHONPATH": "."},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return [(code, out, err) for code, out, err in json.loads(done.stdout)]


def manage(*words: str) -> Line:
    return ("nova-manage", *words)


CHECK = ("nova-status", "upgrade", "check", "--json")


def judged(told: Told) -> tuple[int, dict[str, str]]:
    """Return exit code and severities of an upgrade check."""
    code, out, err = told
    assert out, err
    return code, {row["check"]: row["severity"] for row in json.loads(out)}


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    return Operator(tmp_path)


def test_from_an_empty_database_to_work_under_way(operator: Operator) -> None:
    empty, version, sync, good, _, busy, services, table, listed, unknown, retry, group, nonsense = (
        operator.types(
            CHECK,
            manage("db", "version"),
            manage("db", "sync"),
            CHECK,
            ("fill",),
            CHECK,
            manage("service", "list", "--json"),
            manage("service", "list"),
            manage("workflow", "list", "--json"),
            manage("workflow", "show", "nothing"),
            manage("workflow", "retry", "nothing"),
            manage("network"),
            manage("nonsense"),
        )
    )
    assert judged(empty) == (2, {"schema": "FAILURE", "images": "SUCCESS"})
    assert version[:2] == (1, "empty\n")
    assert sync[0] == 0
    assert judged(good) == (0, dict.fromkeys(("schema", "services", "work", "images"), "SUCCESS"))
    assert (judged(busy)[0], judged(busy)[1]["work"]) == (1, "WARNING")
    (service,) = json.loads(services[1])
    assert (service["binary"], service["host"], service["status"]) == ("nova-compute", "h1", "enabled")
    head, row = table[1].splitlines()
    assert head.split() == ["binary", "host", "zone", "status", "forced_down", "last_heard_of"]
    assert row.split()[:2] == ["nova-compute", "h1"]
    (workflow,) = json.loads(listed[1])
    assert unknown[::2] == (1, "nova-manage: Workflow nothing could not be found.\n")
    assert retry[0] == 1
    assert group[0] == nonsense[0] == 2, "wrong usage"
    operator.conf.write_text(operator.conf.read_text().replace("/images", "/elsewhere"))
    shown, without = operator.types(manage("workflow", "show", workflow["id"], "--json"), CHECK)
    (found,) = json.loads(shown[1])
    assert (found["id"], found["jobs"]) == (workflow["id"], [])
    assert (judged(without)[0], judged(without)[1]["images"]) == (1, "WARNING")


def test_networks_are_made_changed_and_dropped(operator: Operator) -> None:
    create = (
        "network",
        "create",
        "--label",
        "net",
        "--fixed-range-v4",
        "10.9.0.0/24",
        "--dns1",
        "192.0.2.53",
    )
    other = ("network", "create", "--label", "b", "--fixed-range-v4")
    change = ("--label", "lan", "--dns1", "none", "--mtu", "1400", "--host", "h7", "--project", "p1")
    refused = {
        "There is a network net already.": create,
        "10.9.0.128/25 overlaps 10.9.0.0/24 of network net.": (*other, "10.9.0.128/25"),
        "The gateway 10.8.0.1 is not in 10.7.0.0/24.": (*other, "10.7.0.0/24", "--gateway", "10.8.0.1"),
        "The name server x is no address.": ("network", "modify", "net", "--dns1", "x"),
        "Nothing to change was named.": ("network", "modify", "net"),
        "Network other could not be found.": ("network", "modify", "other", "--mtu", "1400"),
    }
    show = manage("network", "list", "--json")
    told = operator.types(
        manage("db", "sync"), manage(*create), *(manage(*line) for line in refused.values())
    )
    assert [code for code, _, _ in told[:2]] == [0, 0]
    assert [err for _, _, err in told[2:]] == [f"nova-manage: {sentence}\n" for sentence in refused]
    assert {code for code, _, _ in told[2:]} == {1}
    changed, first, back, second, gone, none = operator.types(
        manage("network", "modify", "net", *change),
        show,
        manage("network", "modify", "lan", "--host", "none", "--project", "none"),
        show,
        manage("network", "delete", "lan"),
        show,
    )
    assert (changed[0], back[0]) == (0, 0)
    (network,) = json.loads(first[1])
    assert {key: network[key] for key in ("label", "dns", "mtu", "host", "project", "used")} == {
        "label": "lan", "dns": [], "mtu": 1400, "host": "h7", "project": "p1", "used": 0,
    }  # fmt: skip
    (network,) = json.loads(second[1])
    assert (network["host"], network["project"]) == (None, None)
    assert gone[:2] == (0, "Network lan is gone.\n")
    assert json.loads(none[1]) == []
