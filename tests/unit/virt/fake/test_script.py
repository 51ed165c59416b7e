"""Delays, failures, hangs and lies."""

from __future__ import annotations

import json
import pathlib
import threading

import pytest

from nova.clock import Clock, StoppedClock
from nova.errors.virt import ActionFailed, BuildFailed, GuestNotFound
from nova.objects.ids import HostName
from nova.objects.states import Power
from nova.virt.base import Material
from nova.virt.fake.driver import FakeDriver, FakeHost
from nova.virt.fake.script import Rule, Script
from nova.virt.fake.world import World
from tests.support.guests import a_guest, an_id
from tests.support.waiting import eventually

HOST = HostName("host-1")


def a_driver(*rules: Rule, clock: Clock | None = None, path: pathlib.Path | None = None) -> FakeDriver:
    return FakeDriver(HOST, World(), Script(clock or Clock(), list(rules), path), FakeHost())


def test_fail_once_before_the_deed() -> None:
    driver = a_driver(Rule(method="spawn", fault="fail", times=1, error="BuildFailed"))
    with pytest.raises(BuildFailed, match="host-1"):
        driver.spawn(a_guest(1), Material())
    assert driver.guests() == []
    driver.spawn(a_guest(1), Material())


def test_fail_after_the_deed() -> None:
    driver = a_driver(Rule(method="spawn", fault="fail", when="after"))
    with pytest.raises(ActionFailed):
        driver.spawn(a_guest(1), Material())
    assert len(driver.guests()) == 1


def test_skip_and_patterns() -> None:
    driver = a_driver(
        Rule(method="power_*", host="host-?", instance="server 2", fault="fail", skip=1, times=1),
        Rule(method="*", host="elsewhere", fault="break"),
    )
    for number in (1, 2):
        driver.spawn(a_guest(number), Material())
    for _ in range(3):
        driver.power_off(an_id(1), 0)
    driver.power_off(an_id(2), 0)
    with pytest.raises(ActionFailed):
        driver.power_off(an_id(2), 0)
    driver.power_off(an_id(2), 0)


def test_a_surprise_is_no_foreseen_error() -> None:
    driver = a_driver(Rule(method="spawn", fault="break"))
    with pytest.raises(RuntimeError, match="surprise"):
        driver.spawn(a_guest(1), Material())


def test_delays_add_up() -> None:
    clock = StoppedClock()
    start = clock.monotonic()
    driver = a_driver(Rule(method="spawn", delay_s=2), Rule(instance="server *", delay_s=0.5), clock=clock)
    driver.spawn(a_guest(1), Material())
    assert clock.monotonic() - start == 2.5


def test_lies() -> None:
    driver = a_driver(
        Rule(method="power_on", fault="lie"),
        Rule(method="power_state", fault="lie", says="CRASHED", skip=1),
        Rule(method="guests", fault="lie", times=1),
        Rule(method="reboot_soft", fault="lie"),
    )
    driver.spawn(a_guest(1, power_on=False), Material())
    driver.power_on(a_guest(1))
    assert driver.power_state(an_id(1)) is Power.SHUTDOWN
    assert driver.power_state(an_id(1)) is Power.CRASHED
    assert driver.guests() == []
    assert len(driver.guests()) == 1
    assert driver.reboot_soft(a_guest(1), 1) is False


def test_a_hang_ends_with_its_rule() -> None:
    script = Script(Clock(), [Rule(method="destroy", fault="hang")])
    driver = FakeDriver(HOST, World(), script, FakeHost())
    driver.spawn(a_guest(1), Material())
    thread = threading.Thread(target=driver.destroy, args=(an_id(1), "req-1"), daemon=True)
    thread.start()
    thread.join(0.1)
    assert thread.is_alive()
    assert len(driver.guests()) == 1
    script.replace([])
    thread.join(5)
    assert not thread.is_alive()
    assert driver.guests() == []


def test_a_script_file_is_read_again(tmp_path: pathlib.Path) -> None:
    path, clock = tmp_path / "script.json", StoppedClock()
    driver = a_driver(path=path, clock=clock)
    driver.spawn(a_guest(1), Material())
    path.write_text(json.dumps([{"method": "power_off", "fault": "fail"}]))
    clock.advance(1)
    with pytest.raises(ActionFailed):
        driver.power_off(an_id(1), 0)
    path.write_text("[{")
    clock.advance(1)
    with pytest.raises(ActionFailed):
        driver.power_off(an_id(1), 0)
    path.unlink()
    clock.advance(1)
    driver.power_off(an_id(1), 0)


def test_a_hang_by_file_ends_when_the_file_goes(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "script.json"
    path.write_text(json.dumps([{"method": "pause", "fault": "hang"}]))
    driver = a_driver(path=path)
    driver.spawn(a_guest(1), Material())
    thread = threading.Thread(target=driver.pause, args=(an_id(1),), daemon=True)
    thread.start()
    path.unlink()
    eventually(lambda: driver.power_state(an_id(1)) is Power.PAUSED)


def test_errors_of_the_driver_itself_stay() -> None:
    with pytest.raises(GuestNotFound):
        a_driver().pause(an_id(1))
