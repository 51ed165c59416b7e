"""The strict books, in memory and on disk."""

from __future__ import annotations

import pathlib
from typing import Any

import msgspec
import pytest

from nova.clock import Clock
from nova.errors.virt import GuestNotFound, HostFull
from nova.objects.guest import GuestSpec
from nova.objects.ids import HostName
from nova.objects.states import Power
from nova.virt.base import Material
from nova.virt.fake.books import DoubleUse
from nova.virt.fake.claims import Claims
from nova.virt.fake.driver import FakeDriver, FakeHost
from nova.virt.fake.script import Script
from nova.virt.fake.store import WorldStore, read_books
from nova.virt.fake.world import Capacity, World
from tests.support.guests import a_guest, a_vif, an_id

ONE, TWO = HostName("one"), HostName("two")
ROOM = Capacity(vcpus=8, ram_mb=4096, disk_gb=100)


def a_world(store: WorldStore | None = None) -> World:
    world = World(store)
    world.add_hosts([ONE, TWO], ROOM)
    return world


def thief(what: str) -> GuestSpec:
    """Describe guest 2 with one thing of guest 1."""
    one, two = a_guest(1), a_guest(2)
    mine, theirs = two.vifs[0], one.vifs[0]
    if what == "disk":
        return msgspec.structs.replace(two, block_devices=one.block_devices)
    if what == "guest":
        return one
    stolen: dict[str, dict[str, Any]] = {
        "mac": {"mac": theirs.mac},
        "vif": {"id": theirs.id},
        "address": {"addresses": theirs.addresses},
    }
    return msgspec.structs.replace(two, vifs=(msgspec.structs.replace(mine, **stolen[what]),))


@pytest.mark.parametrize("what", ["mac", "vif", "address", "disk", "guest"])
def test_nothing_is_held_twice(what: str) -> None:
    world = a_world()
    world.spawn(ONE, a_guest(1))
    with pytest.raises(DoubleUse, match="is held by"):
        world.spawn(TWO, thief(what))
    books = world.books()
    assert len(books.violations) == 1
    assert [g.id for g in books.guests] == [an_id(1)]
    world.destroy(ONE, an_id(1), "req-1")
    world.spawn(TWO, thief(what))


@pytest.mark.parametrize("what", ["mac", "vif", "address", "disk", "guest"])
def test_nothing_is_held_twice_between_processes(what: str, tmp_path: pathlib.Path) -> None:
    mine, theirs = World(WorldStore(tmp_path)), World(WorldStore(tmp_path))
    mine.add_hosts([ONE], ROOM)
    theirs.add_hosts([TWO], ROOM)
    mine.spawn(ONE, a_guest(1))
    with pytest.raises(DoubleUse):
        theirs.spawn(TWO, thief(what))
    assert len(read_books(tmp_path).violations) == 1
    mine.destroy(ONE, an_id(1), "req-1")
    theirs.spawn(TWO, thief(what))
    assert [g.host for g in read_books(tmp_path).guests] == [TWO]


def test_a_failed_spawn_holds_nothing() -> None:
    world = a_world()
    world.spawn(ONE, a_guest(1))
    two = a_guest(2)
    both = msgspec.structs.replace(two, vifs=(*two.vifs, a_vif(1)))
    with pytest.raises(DoubleUse):
        world.spawn(ONE, both)
    world.spawn(ONE, two)


def test_a_host_is_never_over_committed() -> None:
    world = a_world()
    for number in range(8):
        world.spawn(ONE, a_guest(number))
    with pytest.raises(HostFull, match="vcpus"):
        world.spawn(ONE, a_guest(9))
    assert "over-committed" in world.books().violations[0]
    world.destroy(ONE, an_id(3), "req-1")
    world.spawn(ONE, a_guest(9))


def test_a_destroy_without_a_reason_is_a_violation() -> None:
    world = a_world()
    world.spawn(ONE, a_guest(1))
    world.destroy(ONE, an_id(1), "")
    assert "without a reason" in world.books().violations[0]
    assert world.books().guests == ()


def test_only_its_own_host_reaches_a_guest() -> None:
    world = a_world()
    world.spawn(ONE, a_guest(1))
    world.destroy(TWO, an_id(1), "req-1")
    assert world.guest(ONE, an_id(1)).power is Power.RUNNING
    with pytest.raises(GuestNotFound):
        world.guest(TWO, an_id(1))


def test_everything_outlives_a_kill(tmp_path: pathlib.Path) -> None:
    world = a_world(WorldStore(tmp_path))
    for number in (1, 2, 3):
        world.spawn(ONE, a_guest(number))
    world.change(ONE, an_id(1), lambda _: Power.PAUSED)
    world.destroy(ONE, an_id(2), "req-gone")
    before = world.books()

    again = a_world(WorldStore(tmp_path))
    assert sorted(again.books().guests, key=lambda g: g.id) == sorted(before.guests, key=lambda g: g.id)
    assert [(d.id, d.reason) for d in read_books(tmp_path).destroyed] == [(an_id(2), "req-gone")]
    with pytest.raises(DoubleUse):
        again.spawn(TWO, thief("mac"))
    again.spawn(ONE, a_guest(2))
    assert not read_books(tmp_path).violations[1:]


def test_what_a_kill_tore_off_is_no_harm(tmp_path: pathlib.Path) -> None:
    world = a_world(WorldStore(tmp_path))
    world.spawn(ONE, a_guest(1))
    with (tmp_path / "hosts" / "one.journal").open("ab") as journal:
        journal.write(b'{"id":"torn')
    WorldStore(tmp_path).claim(["mac-of-nobody"], f"{an_id(7)}@one")
    with (tmp_path / "claims.log").open("ab") as claims:
        claims.write(b"+mac-torn own")
    again = a_world(WorldStore(tmp_path))
    assert [g.id for g in again.books().guests] == [an_id(1)]
    assert not {"mac-of-nobody", "mac-torn"} & Claims(tmp_path).held().keys()
    assert [g.id for g in read_books(tmp_path).guests] == [an_id(1)]


def test_the_journal_does_not_grow_for_ever(tmp_path: pathlib.Path) -> None:
    world = a_world(WorldStore(tmp_path))
    world.spawn(ONE, a_guest(1))
    for _ in range(1500):
        world.change(ONE, an_id(1), lambda g: Power.PAUSED if g.power is Power.RUNNING else Power.RUNNING)
    assert len((tmp_path / "hosts" / "one.journal").read_bytes().splitlines()) < 1100
    assert read_books(tmp_path).guests == world.books().guests


def test_thousands_of_hosts_fit(tmp_path: pathlib.Path) -> None:
    world, script, about = World(), Script(Clock()), FakeHost()
    drivers = [FakeDriver(HostName(f"h{n}"), world, script, about) for n in range(3000)]
    for number, driver in enumerate(drivers):
        driver.spawn(a_guest(number), Material())
    assert len(world.books().guests) == 3000
    assert all(driver.inventories()[0].running == 1 for driver in drivers[:50])


def test_claims_are_written_anew_when_they_are_mostly_of_the_past(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nova.virt.fake.claims.LONG_BYTES", 1000)
    old = Claims(tmp_path)
    for number in range(100):
        assert old.take([f"mac-{number}"], "a@one") is None
        old.release([f"mac-{number}"])
    assert old.take(["kept"], "a@one") is None
    young = Claims(tmp_path)
    assert (tmp_path / "claims.log").stat().st_size < 100
    assert young.take(["new"], "b@two") is None
    assert old.held() == young.held() == {"kept": "a@one", "new": "b@two"}
    assert old.take(["free", "new"], "a@one") == ("new", "b@two")
    assert "free" not in young.held()
