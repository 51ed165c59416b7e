"""What a driver may do: whoever says so must do it right."""

from __future__ import annotations

import pathlib
import subprocess
from typing import Any

import pytest

from nova.errors.virt import ActionFailed, GuestNotFound, NoConsole
from nova.objects.network import GuestFilter
from nova.objects.states import Capability, Power
from nova.virt import capabilities as kinds
from tests.contract.virt.benches import Bench
from tests.contract.virt.conftest import Heard
from tests.contract.virt.test_musts import is_in, spawned
from tests.support.guests import an_id
from tests.support.waiting import eventually

PROTOCOLS: dict[Capability, type] = {
    Capability.REBOOT_SOFT: kinds.SoftReboot,
    Capability.PAUSE: kinds.Pause,
    Capability.SUSPEND: kinds.Suspend,
    Capability.SNAPSHOT: kinds.Snapshots,
    Capability.CONSOLE_LOG: kinds.ConsoleLog,
    Capability.VNC: kinds.Vnc,
    Capability.SERIAL: kinds.Serial,
    Capability.DIAGNOSTICS: kinds.GuestDiagnostics,
}


def able(bench: Bench, capability: Capability) -> Any:
    """Return the driver when it can do that; end the test here, passed, when it says it cannot."""
    if capability not in bench.driver.capabilities():
        assert not isinstance(bench.driver, PROTOCOLS.get(capability, ())), "can do more than it says"
        return None
    return bench.driver


@pytest.mark.parametrize("capability", sorted(PROTOCOLS))
def test_what_is_declared_is_implemented(bench: Bench, capability: Capability) -> None:
    if capability in bench.driver.capabilities():
        assert isinstance(bench.driver, PROTOCOLS[capability])


def test_pause_and_unpause_each_twice(bench: Bench) -> None:
    if driver := able(bench, Capability.PAUSE):
        spec = spawned(bench)
        for _ in range(2):
            driver.pause(spec.id)
            assert is_in(bench, spec, Power.PAUSED)
        for _ in range(2):
            driver.unpause(spec.id)
            assert is_in(bench, spec, Power.RUNNING)
        driver.power_off(spec.id, 0)
        with pytest.raises(ActionFailed):
            driver.pause(spec.id)
        with pytest.raises(GuestNotFound):
            driver.pause(an_id(77))


def test_suspend_and_resume_each_twice(bench: Bench) -> None:
    if driver := able(bench, Capability.SUSPEND):
        spec = spawned(bench)
        for _ in range(2):
            driver.suspend(spec.id)
            assert is_in(bench, spec, Power.SUSPENDED)
        for _ in range(2):
            driver.resume(spec)
            assert is_in(bench, spec, Power.RUNNING)


def test_destroy_of_a_suspended_guest_leaves_nothing(bench: Bench) -> None:
    if driver := able(bench, Capability.SUSPEND):
        spec = spawned(bench)
        driver.suspend(spec.id)
        driver.destroy(spec.id, "req-1")
        assert bench.left_of(spec.id) == []


def test_a_soft_reboot_never_leaves_the_guest_off(bench: Bench) -> None:
    if driver := able(bench, Capability.REBOOT_SOFT):
        spec = spawned(bench)
        driver.reboot_soft(spec, 1)
        assert is_in(bench, spec, Power.RUNNING)
        driver.power_off(spec.id, 0)
        with pytest.raises(ActionFailed):
            driver.reboot_soft(spec, 1)


@pytest.mark.parametrize("disk_format", ["qcow2", "raw"])
def test_a_snapshot_is_whole_and_the_guest_goes_on(
    bench: Bench, tmp_path: pathlib.Path, disk_format: str
) -> None:
    if driver := able(bench, Capability.SNAPSHOT):
        spec = spawned(bench)
        target = tmp_path / "snapshot"
        driver.snapshot(spec.id, target, disk_format)
        assert is_in(bench, spec, Power.RUNNING)
        if disk_format == "qcow2":
            told = subprocess.run(
                ["qemu-img", "info", "-f", "qcow2", target],
                capture_output=True,
                text=True,
                check=True,
                timeout=60,
            ).stdout
            assert "backing file" not in told
            subprocess.run(["qemu-img", "check", "-f", "qcow2", target], check=True, timeout=60)
        else:
            assert target.stat().st_size > 0
        with pytest.raises(GuestNotFound):
            driver.snapshot(an_id(77), tmp_path / "none", disk_format)


def test_the_console_log_keeps_its_limits(bench: Bench) -> None:
    if driver := able(bench, Capability.CONSOLE_LOG):
        spec = spawned(bench)
        whole = eventually(lambda: driver.console_log(spec.id, None, 1 << 20), within_s=bench.within_s * 10)
        assert isinstance(whole, bytes)
        assert len(driver.console_log(spec.id, None, 10)) <= 10
        assert driver.console_log(spec.id, 0, 1 << 20) == b""
        assert driver.console_log(spec.id, 1, 1 << 20).count(b"\n") <= 1
        with pytest.raises(GuestNotFound):
            driver.console_log(an_id(77), None, 10)


def test_consoles_have_a_place_while_the_guest_runs(bench: Bench) -> None:
    for capability, name in ((Capability.VNC, "vnc"), (Capability.SERIAL, "serial")):
        if driver := able(bench, capability):
            spec = spawned(bench)
            target = getattr(driver, name)(spec.id)
            assert target.host
            assert 0 < target.port < 65536
            with pytest.raises(GuestNotFound):
                getattr(driver, name)(an_id(77))
            driver.power_off(spec.id, 0)
            with pytest.raises(NoConsole):
                getattr(driver, name)(spec.id)
            driver.destroy(spec.id, "req-1")


def test_diagnostics_name_the_driver(bench: Bench) -> None:
    if driver := able(bench, Capability.DIAGNOSTICS):
        spec = spawned(bench)
        told = driver.diagnostics(spec.id)
        assert told.driver == driver.name
        assert len(told.cpus) == spec.flavor.vcpus
        assert len(told.nics) == len(spec.vifs)
        with pytest.raises(GuestNotFound):
            driver.diagnostics(an_id(77))


def test_what_a_guest_does_by_itself_is_heard(bench: Bench, heard: Heard) -> None:
    if able(bench, Capability.LIFECYCLE_EVENTS):
        spec = spawned(bench)
        heard.events.clear()
        bench.stop_inside(spec.id)
        eventually(lambda: (spec.id, Power.SHUTDOWN) in heard.events, within_s=bench.within_s * 10)
        assert is_in(bench, spec, Power.SHUTDOWN)


def test_filters_may_be_applied_again_and_removed(bench: Bench) -> None:
    if isinstance(bench.driver, kinds.HostFilters):
        spec = spawned(bench)
        entry = GuestFilter(instance_id=spec.id, vifs=spec.vifs, rules=spec.rules)
        bench.driver.apply_filters([entry])
        bench.driver.apply_filters([entry])
        bench.driver.apply_filters([GuestFilter(instance_id=spec.id)])


def test_what_guests_hold_is_told_while_they_do(bench: Bench) -> None:
    driver = bench.driver
    assert isinstance(driver, kinds.Inventoried)
    spec = spawned(bench)

    def held() -> Any:
        return next((g for g in driver.holdings().guests if g.instance_id == spec.id), None)

    guest = held()
    assert guest.power is Power.RUNNING
    assert set(guest.disks) == {device.id for device in spec.block_devices}
    assert guest.vifs == tuple(vif.id for vif in spec.vifs)
    assert set(guest.addresses) == {address for vif in spec.vifs for address in vif.addresses}
    driver.power_off(spec.id, 0)
    assert held().power is Power.SHUTDOWN
    assert [s for s in driver.holdings().strays if spec.id in s.sentence] == []
    driver.destroy(spec.id, "req-of-the-test")
    found = driver.holdings()
    assert spec.id not in {g.instance_id for g in found.guests}
    assert found.destroyed[-1].instance_id == spec.id
    assert found.destroyed[-1].reason == "req-of-the-test"
