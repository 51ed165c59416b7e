"""What is left on a libvirt host without a guest, or lacks what it needs, is named."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from nova.privsep.nft import Nft
from nova.virt.libvirt.driver import LibvirtDriver
from nova.virt.libvirt.filter_rules import TABLE
from tests.integration.test_libvirt_driver import material, spec
from tests.support.eventually import eventually
from tests.support.guests import a_vif, an_id
from tests.support.libvirt import LibvirtHost, libvirt_host, started


@pytest.fixture(scope="module")
def host() -> Iterator[LibvirtHost]:
    with libvirt_host("held") as made:
        yield made


@pytest.fixture
def driver(host: LibvirtHost) -> Iterator[LibvirtDriver]:
    with started(host) as made:
        yield made
        for guest in made.guests():
            made.destroy(guest.instance_id, "end of the test")


def strays(driver: LibvirtDriver) -> set[tuple[str, str]]:
    return {(stray.what, stray.name) for stray in driver.holdings().strays}


def test_nothing_is_left_of_sound_guests(driver: LibvirtDriver) -> None:
    guest = spec(1, vifs=(a_vif(1),))
    driver.spawn(guest, material())
    assert strays(driver) == set()
    (held,) = driver.holdings().guests
    assert held.vifs == (guest.vifs[0].id,)
    driver.destroy(guest.id, "req-1")
    assert eventually(lambda: not strays(driver))


def test_what_belongs_to_nobody_is_named(driver: LibvirtDriver, host: LibvirtHost) -> None:
    guest = spec(2, vifs=(a_vif(2),))
    driver.spawn(guest, material())
    folder = host.directory / "instances" / guest.id
    image = (folder / "base").rename(folder / "elsewhere")
    assert strays(driver) == {("image", str(folder / "base"))}
    image.rename(folder / "base")
    host.network.ip("tuntap", "add", "tap0badbad-00", "mode", "tap")
    (host.directory / "instances" / an_id(9)).mkdir()
    assert strays(driver) == {("port", "tap0badbad-00"), ("disk", an_id(9))}
    host.network.ip("link", "del", "tap0badbad-00")
    shutil.rmtree(host.directory / "instances" / an_id(9))
    # A guest that somebody ended behind our back leaves its folder, and its rules stay in force.
    host.virsh("destroy", guest.id)
    host.virsh("undefine", guest.id)
    device = guest.vifs[0].device
    assert {("disk", guest.id), ("filter", device)} <= strays(driver)
    driver.destroy(guest.id, "what is left of it")
    assert strays(driver) == set()


def test_a_guest_without_guards_is_named(driver: LibvirtDriver) -> None:
    guest = spec(3, vifs=(a_vif(3),))
    driver.spawn(guest, material())
    Nft().remove("bridge", TABLE)
    assert strays(driver) == {("filter", guest.vifs[0].device)}
