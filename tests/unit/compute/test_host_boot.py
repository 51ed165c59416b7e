"""Guests that went with their machine: told as such once, and only when that is wished."""

from __future__ import annotations

import pathlib
from collections.abc import Callable

import pytest

from nova.compute.host_boot import BOOT_ID, HostBoot
from nova.objects.host import ObservedGuest
from nova.objects.ids import HostName
from nova.objects.states import Power
from tests.support.eventually import eventually
from tests.support.guests import an_id
from tests.unit.compute.conftest import Cloud

GUEST = ObservedGuest(instance_id=an_id(1), power=Power.SHUTDOWN)
A, B = HostName("a"), HostName("b")


class Machine:
    """A machine that can be started anew, and its nova-compute."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.boot_id, self.memory = folder / "boot_id", folder / "instances/.host-boot"
        self.restart("1")

    def restart(self, boot: str) -> None:
        self.boot_id.write_text(f"{boot}\n")

    def compute(self, *, resume: bool = True) -> HostBoot:
        return HostBoot([A, B], self.memory, resume=resume, boot_id=self.boot_id)

    def all_told(self) -> None:
        boot = self.compute()
        boot.told(A)
        boot.told(B)


@pytest.fixture
def machine(tmp_path: pathlib.Path) -> Machine:
    made = Machine(tmp_path)
    made.all_told()
    return made


def is_marked(boot: HostBoot, host: HostName) -> bool:
    (guest,) = boot.marked(host, [GUEST])
    return guest.host_booted


def test_guests_are_marked_until_their_host_has_told_of_them(machine: Machine) -> None:
    machine.restart("2")
    boot = machine.compute()
    assert is_marked(boot, A) and is_marked(boot, B)
    boot.told(A)
    assert not is_marked(boot, A) and is_marked(boot, B)
    boot = machine.compute()
    assert is_marked(boot, A), (
        "it ended before all hosts had told: told once more, which starts nothing twice"
    )
    boot.told(A)
    boot.told(B)
    assert not is_marked(machine.compute(), A)


def test_a_restart_of_the_daemon_alone_marks_nothing(machine: Machine) -> None:
    assert not is_marked(machine.compute(), A)


def test_nothing_is_marked_unless_wished_and_the_wish_does_not_reach_back(machine: Machine) -> None:
    machine.restart("2")
    boot = machine.compute(resume=False)
    assert not is_marked(boot, A)
    boot.told(A)
    boot.told(B)
    assert not is_marked(machine.compute(resume=True), A)


def test_a_first_start_knows_of_no_guests(tmp_path: pathlib.Path) -> None:
    assert not is_marked(Machine(tmp_path).compute(), A)


@pytest.mark.parametrize("resume", ["true", "false"])
def test_nova_compute_tells_after_a_start_of_the_machine(clouds: Callable[..., Cloud], resume: str) -> None:
    cloud = clouds(resume_guests_state_on_host_boot=resume)
    memory = cloud.folder / "instances/.host-boot-h"
    memory.parent.mkdir(exist_ok=True)
    memory.write_text("an earlier start\n")
    cloud.serving()
    cloud.do(cloud.build(1))
    eventually(lambda: memory.read_text().strip() == BOOT_ID.read_text().strip(), what="told")
    assert cloud.daemon is not None
    cloud.daemon.stop(5)
    memory.write_text("an earlier start\n")
    cloud.conductor.seen.clear()
    cloud.serving()
    eventually(lambda: cloud.conductor.seen, what="a report of all guests")
    _, (guest,), whole = cloud.conductor.seen[0]
    assert whole
    assert guest.host_booted is (resume == "true")
