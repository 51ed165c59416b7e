"""README's own commands, as written, from a fresh copy of the tree, on a machine that has no cloud yet."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from nova_tools.places import CHECKOUT
from tests.docs import pages
from tests.support import netns
from tests.support.netns import namespace
from tests.support.one_machine import OneMachine, furnish, missing
from tests.support.services import scratch_directory

pytestmark = [
    pytest.mark.skipif(not netns.CAN_MAKE, reason="network namespaces need root"),
    pytest.mark.skipif(bool(missing()), reason=f"not installed: {missing()}"),
    pytest.mark.timeout(1500),
]


def copy_of_the_tree(target: Path) -> None:
    """Copy what a clone would have: everything but what git ignores."""
    listed = subprocess.run(
        ["git", "-C", str(CHECKOUT), "ls-files", "-co", "--exclude-standard", "-z"],
        capture_output=True,
        timeout=60,
    )
    if listed.returncode == 0:
        for name in listed.stdout.decode().split("\0"):
            source, copy = CHECKOUT / name, target / name
            if source.is_symlink() or source.is_file():
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, copy, follow_symlinks=False)
    else:
        ignored = shutil.ignore_patterns("__pycache__", ".*cache", "*.egg-info", "build", ".tox")
        shutil.copytree(CHECKOUT, target, ignore=ignored, symlinks=True, dirs_exist_ok=True)


@pytest.fixture(scope="module")
def newcomer() -> Iterator[OneMachine]:
    """A machine whose packages and Keystone, Glance and clients are there, but no Nova."""
    with scratch_directory("readme") as scratch, namespace("readme") as network:
        copy_of_the_tree(scratch / "nova")
        machine = OneMachine(scratch / "cloud", network, scratch / "nova")
        (scratch / "cloud").mkdir()
        furnish(machine.places, nova=False)
        try:
            yield machine
        finally:
            machine.end()


@pytest.fixture(scope="module")
def arrived(newcomer: OneMachine) -> str:
    """What the first command of the README printed."""
    first, *_ = pages.commands("README.rst")
    # What needs the world outside is done outside: the namespace has no way there.
    installed = subprocess.run(
        ["bash", "-c", f"{first} --install-only"],
        cwd=newcomer.checkout, env=newcomer.environment, capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    assert installed.returncode == 0, installed
    done = newcomer.sh(first, seconds=900)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{newcomer.logs()}"
    return done.stdout


def test_the_readme_has_two_commands_to_begin_with() -> None:
    assert pages.commands("README.rst")[:2] == ["./tools/cloud up", "./tools/test"]


def test_a_newcomer_sees_a_server_that_lets_people_in(newcomer: OneMachine, arrived: str) -> None:
    assert re.search(r"Server first \([0-9a-f-]{36}\) is ACTIVE, address 10\.\d+\.\d+\.\d+\.", arrived)
    assert "=== login: root / tiny" in arrived
    ssh = next(line.strip("$ ") for line in arrived.splitlines() if line.strip().startswith("$ ssh"))
    said = newcomer.sh(ssh)
    assert said.returncode == 0 and said.stdout.startswith("first"), said
    assert re.search(r"The cloud is up, \d+ s after the start", arrived)


def steps_printed(text: str) -> list[str]:
    """Return the commands of the section "What next", as printed."""
    lines = text.split("What next:")[1].splitlines()
    return [line.strip() for line in lines if line.startswith("    ")]


def test_every_next_step_that_is_printed_works_as_printed(newcomer: OneMachine, arrived: str) -> None:
    steps = steps_printed(arrived)
    assert steps[0].startswith('eval "$(./tools/cloud env demo)"') and len(steps) >= 10
    *before, last = steps
    assert last.startswith("./tools/cloud down")
    done = newcomer.sh("set -ex\n" + "\n".join(before), seconds=900)
    assert done.returncode == 0, done
    shown = done.stdout
    assert "| first | ACTIVE" in shown, "nova list"
    assert re.search(r"\| status +\| ACTIVE", shown), "openstack server show second"
    assert "=== login: root / tiny" in shown and "vnc_lite.html?path=" in shown
    assert "Server demo-1" in shown and re.search(r"nova-all +\d+ +ok", shown)
    done = newcomer.sh(last)
    assert done.returncode == 0 and "nova-all stopped" in done.stdout
    assert newcomer.run("up").returncode == 0, "down is undone by up"
    assert "| first " in newcomer.sh('eval "$(./tools/cloud env demo)"; nova list').stdout
    done = newcomer.run("reset")
    assert done.returncode == 0
    assert {path.name for path in newcomer.home.iterdir()} <= {"installed", "logs", "lock"}
    assert "There is no cloud" in newcomer.run("status").stderr
