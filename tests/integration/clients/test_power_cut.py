"""The machine of a cloud loses its power: ``up`` brings it back, and its guests with it."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from nova_tools.waiting import wait_until
from tests.support.one_machine import OneMachine


def pids(machine: OneMachine) -> list[int]:
    listed = subprocess.run(
        ["ip", "netns", "pids", machine.network.name], capture_output=True, text=True, check=True, timeout=20
    )
    return [int(pid) for pid in listed.stdout.split() if int(pid) != os.getpid()]


def cut_power(machine: OneMachine) -> None:
    """Nothing runs, no bridge and no rule is there, the kernel has drawn another id: as after a power cut."""

    def none_left() -> bool:
        for pid in pids(machine):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        return not pids(machine)

    assert wait_until(none_left, 30)
    for link in machine.network.ip("-br", "link").splitlines():
        name = link.split()[0].split("@")[0]
        if name != "lo":
            machine.network.run("ip", "link", "delete", name, check=False)
    machine.network.run("nft", "flush", "ruleset")
    (remembered,) = (machine.home / "nova/instances").glob(".host-boot-*")
    remembered.write_text("another start\n")
    for file in (machine.home / "run").glob("*.pid"):
        pid, started, _ = file.read_text().split()
        file.write_text(f"{pid} {started} another-start\n")


def a_log(machine: OneMachine) -> Path:
    return machine.home / "logs/nova-all.log"


@pytest.mark.timeout(600)
def test_after_a_power_cut_up_believes_only_a_login(real: OneMachine) -> None:
    """With ``resume_guests_state_on_host_boot`` the host itself starts what ran; nobody has to ask."""
    own = real.cloud.own_options / "resume.conf"
    own.write_text("[DEFAULT]\nresume_guests_state_on_host_boot = true\n")
    try:
        cut_power(real)
        said = real.up()
    finally:
        own.unlink()
    assert "It lets you in over ssh" in said
    assert "Server first" in said and "is ACTIVE" in said
    assert "it is started" in a_log(real).read_text()
    assert all(daemon["health"] == "ok" for daemon in real.status().values())
