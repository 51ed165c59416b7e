"""What every driver must do."""

from __future__ import annotations

import pytest

from nova.errors.virt import GuestNotFound
from nova.objects.guest import GuestSpec
from nova.objects.states import Power
from tests.contract.virt.benches import Bench
from tests.contract.virt.conftest import Heard
from tests.support.guests import an_id
from tests.support.waiting import eventually


def spawned(bench: Bench, number: int = 1, **changes: object) -> GuestSpec:
    spec = bench.guest(number, **changes)
    bench.driver.spawn(spec, bench.material(spec))
    return spec


def is_in(bench: Bench, spec: GuestSpec, power: Power) -> bool:
    return eventually(lambda: bench.driver.power_state(spec.id) is power, within_s=bench.within_s)


def test_spawn_brings_a_guest_up(bench: Bench) -> None:
    spec = spawned(bench)
    assert is_in(bench, spec, Power.RUNNING)
    (seen,) = bench.driver.guests()
    assert (seen.instance_id, seen.power) == (spec.id, Power.RUNNING)
    assert bench.left_of(spec.id)


def test_spawn_twice_leaves_the_same_world(bench: Bench) -> None:
    spec = spawned(bench)
    held = sorted(bench.left_of(spec.id))
    bench.driver.spawn(spec, bench.material(spec))
    assert is_in(bench, spec, Power.RUNNING)
    assert len(bench.driver.guests()) == 1
    assert sorted(bench.left_of(spec.id)) == held


def test_spawn_of_a_guest_that_stays_off(bench: Bench) -> None:
    spec = spawned(bench, power_on=False)
    assert bench.driver.power_state(spec.id) is Power.SHUTDOWN


def test_guests_do_not_disturb_each_other(bench: Bench) -> None:
    one, two = spawned(bench, 1), spawned(bench, 2)
    bench.driver.destroy(one.id, "req-1")
    assert [g.instance_id for g in bench.driver.guests()] == [two.id]
    assert is_in(bench, two, Power.RUNNING)
    assert bench.left_of(one.id) == []


def test_destroy_leaves_nothing_and_may_come_twice(bench: Bench) -> None:
    spec = spawned(bench)
    bench.driver.destroy(spec.id, "req-1")
    assert bench.driver.guests() == []
    assert bench.left_of(spec.id) == []
    bench.driver.destroy(spec.id, "req-1")
    with pytest.raises(GuestNotFound):
        bench.driver.power_state(spec.id)


def test_destroy_of_a_guest_that_is_off(bench: Bench) -> None:
    spec = spawned(bench, power_on=False)
    bench.driver.destroy(spec.id, "req-1")
    assert bench.left_of(spec.id) == []


def test_a_guest_destroyed_can_be_built_again(bench: Bench) -> None:
    spec = spawned(bench)
    bench.driver.destroy(spec.id, "req-1")
    bench.driver.spawn(spec, bench.material(spec))
    assert is_in(bench, spec, Power.RUNNING)


def test_off_and_on_each_twice(bench: Bench) -> None:
    spec = spawned(bench)
    for _ in range(2):
        bench.driver.power_off(spec.id, 0)
        assert is_in(bench, spec, Power.SHUTDOWN)
    for _ in range(2):
        bench.driver.power_on(spec)
        assert is_in(bench, spec, Power.RUNNING)


@pytest.mark.parametrize("was_off", [False, True])
def test_hard_reboot_from_any_state_ends_running(bench: Bench, was_off: bool) -> None:
    spec = spawned(bench, power_on=not was_off)
    bench.driver.reboot_hard(spec)
    assert is_in(bench, spec, Power.RUNNING)


def test_unknown_guests_are_not_found(bench: Bench) -> None:
    stranger = bench.guest(99)
    for call in (
        lambda: bench.driver.power_state(stranger.id),
        lambda: bench.driver.power_off(stranger.id, 0),
    ):
        with pytest.raises(GuestNotFound):
            call()
    bench.driver.destroy(an_id(98), "req-1")


def test_guests_outlive_the_agent(bench: Bench, heard: Heard) -> None:
    spec = spawned(bench)
    assert is_in(bench, spec, Power.RUNNING)
    again = bench.another_driver(heard)
    assert [(g.instance_id, g.power) for g in again.guests()] == [(spec.id, Power.RUNNING)]
    again.power_off(spec.id, 0)
    assert is_in(bench, spec, Power.SHUTDOWN)


def test_the_inventory_is_plausible(bench: Bench) -> None:
    (inventory,) = bench.driver.inventories()
    assert inventory.vcpus > 0
    assert inventory.ram_mb > 0
    assert inventory.disk_gb > 0
    assert inventory.node
    assert inventory.hypervisor_type
    assert inventory.supported
    assert set(inventory.capabilities) == bench.driver.capabilities()
