"""Where each driver joins the contract suite: a bench is a driver with what tests need around it.

To join, write a maker ``(tmp_path) -> Iterator[Bench]`` and add it to ``BENCHES``.  A maker that cannot run
here must fail with the reason; it is chosen out with ``-k`` or a marker, never skipped in silence.
"""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from nova.clock import Clock
from nova.objects.guest import GuestSpec
from nova.objects.ids import HostName, InstanceId
from nova.virt.base import Hypervisor, Material, PowerListener
from nova.virt.fake.driver import FakeDriver, FakeHost
from nova.virt.fake.script import Script
from nova.virt.fake.store import WorldStore
from nova.virt.fake.world import World
from tests.support.guests import a_guest


class Bench(Protocol):
    """A driver on its host."""

    @property
    def driver(self) -> Hypervisor:
        """The driver in force."""

    within_s: float
    """How long a guest may take to do what it was told."""

    def guest(self, number: int, **changes: Any) -> GuestSpec:
        """Describe a guest that this driver can run."""

    def material(self, spec: GuestSpec) -> Material:
        """Prepare what the agent would hand over for that guest."""

    def another_driver(self, on_power: PowerListener) -> Hypervisor:
        """Stop the driver and start a new one on the same host, as a restart of nova-compute does."""

    def stop_inside(self, instance_id: InstanceId) -> None:
        """Make the guest go off without the driver being told to."""

    def left_of(self, instance_id: InstanceId) -> list[str]:
        """Name everything on the host that still belongs to a guest."""


class FakeBench:
    """The fake driver, its world on disk."""

    within_s = 5.0

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder
        self._host = HostName("host-1")
        self._start()

    def _start(self) -> None:
        self.world = World(WorldStore(self._folder / "world"))
        self.driver = FakeDriver(self._host, self.world, Script(Clock()), FakeHost())

    def guest(self, number: int, **changes: Any) -> GuestSpec:
        return a_guest(number, **changes)

    def material(self, spec: GuestSpec) -> Material:
        drive = self._folder / f"{spec.id}.iso"
        drive.write_bytes(b"config drive")
        return Material(config_drive=drive)

    def another_driver(self, on_power: PowerListener) -> Hypervisor:
        self.driver.stop()
        self._start()
        self.driver.start(on_power)
        return self.driver

    def stop_inside(self, instance_id: InstanceId) -> None:
        self.driver.shut_down_inside(instance_id)

    def left_of(self, instance_id: InstanceId) -> list[str]:
        books = self.world.books()
        held = [*books.disks().items(), *books.interfaces().items(), *books.addresses().items()]
        return [str(thing) for thing, holder in held if holder == instance_id]


def fake_bench(tmp_path: pathlib.Path) -> Iterator[Bench]:
    """Make a fake host."""
    yield FakeBench(tmp_path)


def libvirt_bench(tmp_path: pathlib.Path) -> Iterator[Bench]:
    """Make a libvirt host with guests of QEMU; the binding is loaded by who runs this."""
    from tests.contract.virt import libvirt_bench as of_libvirt

    yield from of_libvirt.libvirt_bench(tmp_path)


BENCHES: dict[str, Callable[[pathlib.Path], Iterator[Bench]]] = {
    "fake": fake_bench,
    "libvirt": libvirt_bench,
}
