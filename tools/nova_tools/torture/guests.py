"""The torture of a cloud with real guests: a libvirt daemon of its own, QEMU, dnsmasq, packet rules.

All of it runs inside one network namespace, the torture too, so that bridges and rules of the machine stay as
they are.  Some guests only count, from before the first fault to after the last: none of them may notice.
"""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nova.db import flavors, networks
from nova.objects.flavor import Flavor
from nova.objects.ids import FlavorId, NetworkId
from nova.objects.network import Network, Topology
from nova_tools.guest_image import build
from nova_tools.nova_conf import Sections
from nova_tools.processes import Supervisor
from nova_tools.services.libvirt import Libvirt
from nova_tools.torture.cloud import LARGE, SMALL, Cloud
from nova_tools.torture.faults import Faults
from nova_tools.torture.form import Form
from nova_tools.torture.http_client import Doors, user
from nova_tools.torture.run import Report, Torture
from nova_tools.trouble import Trouble
from nova_tools.waiting import wait_until

INSIDE = "NOVA_TORTURE_INSIDE"
BEAT = re.compile(rb"beat (\d+)\r?$", re.MULTILINE)
_BOOT_S = 300.0
_COUNT = """\
#!/bin/sh
(i=0; while :; do echo "beat $i" >/dev/console; i=$((i+1)); sleep 1; done) &
"""


def run_inside(arguments: list[str]) -> int | None:
    """Do the whole thing in a network namespace of its own; none when this process is inside already."""
    if os.environ.get(INSIDE):
        return None
    if os.geteuid() != 0:
        raise Trouble("Network namespaces need root", "Run this as root, for instance with sudo")
    name = f"torture-{uuid.uuid4().hex[:8]}"
    subprocess.run(["ip", "netns", "add", name], check=True, timeout=20)
    try:
        subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True, timeout=20)
        program = [sys.executable, "-W", "ignore", "-m", "nova_tools.torture.cli", *arguments]
        return subprocess.run(
            ["ip", "netns", "exec", name, *program], env={**os.environ, INSIDE: name}, check=False
        ).returncode
    finally:
        left = subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True, timeout=20)
        for pid in left.stdout.split():
            os.kill(int(pid), 9)
        subprocess.run(["ip", "netns", "del", name], check=False, timeout=20)


class GuestCloud(Cloud):
    """A cloud of one libvirt host."""

    def __init__(self, form: Form, home: Path) -> None:
        self.libvirt = Libvirt(directory=home / "libvirt")
        self._of_libvirt = Supervisor(home / "run", home / "logs")
        super().__init__(form, home)

    @property
    def instances(self) -> Path:
        """The folder of guests."""
        return self.home / "instances"

    def hypervisor(self) -> Sections:
        return {
            "DEFAULT": {
                "compute_driver": "libvirt",
                "instances_path": str(self.instances),
                "cpu_allocation_ratio": "16.0",
                "ram_allocation_ratio": "4.0",
            },
            "libvirt": {
                "connection_uri": self.libvirt.uri,
                "virt_type": "qemu",
                "disk_cachemode": "unsafe",
            },
            "network": {"networks_path": str(self.home / "networks"), "dnsmasq_user": "root"},
        }

    def start(self) -> None:
        self.libvirt.prepare()
        self.start_libvirt()
        super().start()

    def stop(self) -> None:
        self.keeper.stop()
        if self.libvirt.answers():
            self.libvirt.destroy_guests()
        self.stop_libvirt()
        self.backing.stop()

    def start_libvirt(self) -> None:
        self._of_libvirt.start(self.libvirt.program())

    def stop_libvirt(self) -> None:
        """End the daemon; its guests go on."""
        self._of_libvirt.end(self.libvirt.program())

    def _seed(self) -> None:
        made = build(Path(os.environ.get("NOVA_TEST_GUEST_DIR", "/var/tmp/nova-test-guest")))
        shutil.copy(made.disk, self.home / "images" / "guest.qcow2")
        db = self.database()
        for number in (SMALL, LARGE):
            flavor = Flavor(id=FlavorId(number), name=f"f{number}", vcpus=1, ram_mb=96, root_gb=1)
            db.run(lambda tx, flavor=flavor: flavors.insert(tx, flavor))  # type: ignore[misc]
        network = Network(
            id=NetworkId(str(uuid.uuid4())),
            label="private",
            cidr="10.77.0.0/24",
            gateway="10.77.0.1",
            dhcp_server="10.77.0.1",
            dhcp_start="10.77.0.2",
            bridge="br100",
            topology=Topology.FLAT_DHCP,
        )
        db.run(lambda tx: networks.insert(tx, network))
        db.close()


@dataclass
class Steady:
    """A guest that only counts."""

    id: str
    process: str
    """Pid and start time of its QEMU."""
    beats: int


class GuestTorture(Torture):
    """A torture with guests that must not notice."""

    def __init__(self, form: Form, home: Path, say: Callable[[str], None]) -> None:
        self._guests = GuestCloud(form, home)
        self._steady: list[Steady] = []
        super().__init__(form, home, say, self._guests)

    def prepare(self) -> None:
        """Boot the guests that count and wait until they do."""
        doors = Doors(self.cloud.doors, user("steady", "steady"), keep=False)
        image = self.image()
        for number in range(2):
            wish = {
                "name": f"steady-{number}", "imageRef": image, "flavorRef": SMALL, "networks": "auto",
                "config_drive": True, "user_data": base64.b64encode(_COUNT.encode()).decode(),
            }  # fmt: skip
            answer = doors.ask("POST", "/servers", {"server": wish})
            if answer.status != 202:
                raise Trouble(f"The guest steady-{number} was refused: {answer.body}")
            self._steady.append(Steady(str(answer.body["server"]["id"]), "", 0))
        if not wait_until(lambda: all(len(self._beats(s)) > 1 for s in self._steady), _BOOT_S, pause=0.5):
            raise Trouble("The guests that should count did not begin to", f"See {self._guests.instances}")
        for steady in self._steady:
            steady.process, steady.beats = self._process(steady.id), len(self._beats(steady))
        self._say(f"{len(self._steady)} guests count")

    def faults(self) -> Faults:
        return Faults(self.cloud, self.chance, {"libvirt-restart": (5, self._restart_libvirt)})

    def _restart_libvirt(self) -> str:
        self._guests.stop_libvirt()
        self._guests.start_libvirt()
        return "libvirtd"

    def finish(self, report: Report) -> None:
        """Judge the guests that count."""
        for steady in self._steady:
            for words in self._noticed(steady):
                self.blame("guests never notice", f"guest {steady.id}: {words}")
            report.guests[steady.id] = len(self._beats(steady))

    def _noticed(self, steady: Steady) -> Iterator[str]:
        if (now := self._process(steady.id)) != steady.process:
            yield f"its QEMU is another process ({steady.process}, now {now or 'none'})"
        beats = self._beats(steady)
        if beats != list(range(len(beats))):
            yield f"it did not count from 0 to {len(beats) - 1} without a gap"
        # It may have to wait for a busy processor, but counts on.
        before, end = len(beats), time.monotonic() + 60
        while len(self._beats(steady)) <= before and time.monotonic() < end:
            time.sleep(0.5)
        if len(self._beats(steady)) <= before or before <= steady.beats:
            yield f"it counts no more (from {steady.beats} to {before})"

    def _beats(self, steady: Steady) -> list[int]:
        try:
            log = (self._guests.instances / steady.id / "console.log").read_bytes()
        except OSError:
            return []
        return [int(number) for number in BEAT.findall(log)]

    def _process(self, instance: str) -> str:
        """Return pid and start time of a guest's QEMU; empty when there is none."""
        path = self._guests.libvirt.directory / "run" / "qemu" / f"instance-{instance}.pid"
        try:
            pid = path.read_text().strip()
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            return ""
        return f"{pid} since {fields[19]}"
