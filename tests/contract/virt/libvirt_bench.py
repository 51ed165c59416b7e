"""The libvirt driver's bench: real guests, one daemon for all tests of the process."""

from __future__ import annotations

import atexit
import functools
import pathlib
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

from nova.clock import Clock
from nova.objects.flavor import Flavor
from nova.objects.guest import GuestSpec
from nova.objects.ids import FlavorId, HostName, InstanceId, VifId
from nova.virt.base import Hypervisor, Material, PowerListener
from nova.virt.libvirt.driver import LibvirtDriver
from tests.support.guest_image import guest_image
from tests.support.guests import IMAGE_ID, a_guest, a_vif
from tests.support.libvirt import LibvirtHost, entered, libvirt_daemon


class LibvirtBench:
    """One host with its driver."""

    within_s = 20.0

    def __init__(self, host: LibvirtHost, folder: pathlib.Path) -> None:
        self._host = host
        self._folder = folder
        self.driver = self._make()

    def _make(self) -> LibvirtDriver:
        return LibvirtDriver(self._host.conf(), HostName("host-1"), Clock())

    def guest(self, number: int, **changes: Any) -> GuestSpec:
        flavor = Flavor(id=FlavorId("1"), name="tiny", vcpus=1, ram_mb=96, root_gb=1)
        vif = a_vif(number, id=VifId(f"{number:08x}-0000-4000-8000-000000000000"))
        return a_guest(number, **({"flavor": flavor, "vifs": (vif,)} | changes))

    def material(self, spec: GuestSpec) -> Material:
        drive = self._folder / f"{spec.id}.iso"
        drive.write_bytes(b"config drive".ljust(1 << 16, b"\0"))
        return Material(
            images={IMAGE_ID: guest_image().disk}, formats={IMAGE_ID: "qcow2"}, config_drive=drive
        )

    def another_driver(self, on_power: PowerListener) -> Hypervisor:
        self.driver.stop()
        self.driver = self._make()
        self.driver.start(on_power)
        return self.driver

    def stop_inside(self, instance_id: InstanceId) -> None:
        self._host.virsh("destroy", instance_id)

    def left_of(self, instance_id: InstanceId) -> list[str]:
        places = [*(self._host.directory / "instances").glob(f"{instance_id}*/*")]
        domains = self._host.virsh("list", "--all", "--uuid").split()
        number = int(instance_id[-12:], 16)
        taps = [
            line for line in self._host.network.ip("-o", "link").splitlines() if f"tap{number:08x}" in line
        ]
        kept = [path for path in places if path.name != "console.log.1"]
        return [*(path.name for path in kept), *taps, *(d for d in domains if d == instance_id)]


@functools.cache
def _host() -> LibvirtHost:
    stack = ExitStack()
    host = stack.enter_context(libvirt_daemon("contract"))
    atexit.register(stack.close)
    return host


def libvirt_bench(tmp_path: pathlib.Path) -> Iterator[LibvirtBench]:
    """Make a libvirt host, or take the one there is."""
    with entered(_host().network):
        yield LibvirtBench(_host(), tmp_path)
