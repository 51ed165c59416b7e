"""A libvirt daemon of our own in a network namespace of its own, and drivers on it."""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from nova.clock import Clock
from nova.conf.libvirt import LibvirtConf
from nova.objects.ids import HostName, InstanceId
from nova.objects.states import Power
from nova.virt.libvirt.driver import LibvirtDriver
from nova_tools.processes import Program, Supervisor
from nova_tools.services.libvirt import Libvirt
from tests.support.netns import Namespace, namespace
from tests.support.services import scratch_directory

_CLONE_NEWNET = 0x40000000
_KNOWN_QEMU = Path("/var/tmp/nova-test-libvirt-capabilities")


@contextmanager
def entered(where: Namespace) -> Iterator[None]:
    """Move this thread into a network namespace; programs and threads started meanwhile live there too."""
    back = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{where.name}", os.O_RDONLY)
    try:
        _setns(there)
        yield
    finally:
        _setns(back)
        os.close(back)
        os.close(there)


def _setns(descriptor: int) -> None:
    if ctypes.CDLL(None, use_errno=True).setns(descriptor, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


class LibvirtHost:
    """One "host": network namespace, libvirt daemon, folder for guests."""

    def __init__(self, directory: Path, network: Namespace) -> None:
        self.directory = directory
        self.network = network
        self.daemon = Libvirt(directory=directory / "libvirt")
        self._supervisor = Supervisor(directory / "run", directory / "logs")

    @property
    def _program(self) -> Program:
        program = self.daemon.program()
        return dataclasses.replace(program, argv=("ip", "netns", "exec", self.network.name, *program.argv))

    def start_daemon(self) -> None:
        self.daemon.prepare()
        # What libvirt finds out about QEMU in eight seconds; it sees for itself whether it still holds.
        if _KNOWN_QEMU.exists():
            shutil.copytree(_KNOWN_QEMU, self._knowledge, dirs_exist_ok=True)
        self._supervisor.start(self._program)

    @property
    def _knowledge(self) -> Path:
        return self.daemon.directory / "cache" / "qemu" / "capabilities"

    def _keep_knowledge(self) -> None:
        if self._knowledge.exists() and not _KNOWN_QEMU.exists():
            part = Path(tempfile.mkdtemp(dir=_KNOWN_QEMU.parent))
            shutil.copytree(self._knowledge, part, dirs_exist_ok=True)
            with contextlib.suppress(OSError):
                part.rename(_KNOWN_QEMU)

    def stop_daemon(self) -> None:
        """End the daemon; its guests go on."""
        self._supervisor.end(self._program)

    def end(self) -> None:
        """End guests and daemon."""
        if self.daemon.answers():
            self.daemon.destroy_guests()
        self.stop_daemon()
        self._keep_knowledge()

    def virsh(self, *words: str) -> str:
        """Run ``virsh`` and return what it said."""
        done = subprocess.run(
            ["virsh", "-q", "-c", self.daemon.uri, *words], capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def qemu_pid(self, instance_id: InstanceId) -> int:
        """Return the process of a running guest."""
        path = self.directory / "libvirt" / "run" / "qemu" / f"instance-{instance_id}.pid"
        return int(path.read_text())

    def conf(self, **changes: object) -> LibvirtConf:
        """Return options for a driver on this host; emulation, so that tests do not depend on the machine."""
        values: dict[str, object] = {
            "instances_path": self.directory / "instances",
            "connection_uri": self.daemon.uri,
            "virt_type": "qemu",
            "disk_cachemode": "unsafe",
        }
        return LibvirtConf(**(values | changes))  # type: ignore[arg-type]


class Heard:
    """A power listener that remembers."""

    def __init__(self) -> None:
        self.news: list[tuple[InstanceId, Power]] = []

    def __call__(self, instance_id: InstanceId, power: Power) -> None:
        self.news.append((instance_id, power))

    def of(self, instance_id: InstanceId) -> list[Power]:
        return [power for heard, power in self.news if heard == instance_id]


@contextmanager
def libvirt_daemon(label: str) -> Iterator[LibvirtHost]:
    """Run a daemon while the block runs."""
    with scratch_directory(f"libvirt-{label}") as directory, namespace(label) as network:
        host = LibvirtHost(directory, network)
        try:
            host.start_daemon()
            yield host
        finally:
            host.end()


@contextmanager
def libvirt_host(label: str) -> Iterator[LibvirtHost]:
    """Run a daemon while the block runs; this thread is in its network namespace meanwhile."""
    with libvirt_daemon(label) as host, entered(host.network):
        yield host


@contextmanager
def started(
    host: LibvirtHost, heard: Callable[[InstanceId, Power], None] | None = None, **changes: object
) -> Iterator[LibvirtDriver]:
    """Give a started driver on that host."""
    driver = LibvirtDriver(host.conf(**changes), HostName("host-1"), Clock())
    driver.start(heard or Heard())
    try:
        yield driver
    finally:
        driver.stop()
