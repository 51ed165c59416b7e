"""A cloud in a process of its own (``nova-all``): what bad input costs it is seen from outside."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from nova.conf import load
from nova.db import migrate
from nova.db.configured import prepared_url
from nova.objects.network import Topology
from nova_tools import ports
from tests.support.cloud import DAEMONS, OPTIONS, User, eventually, seed, surroundings_image

MEMORY_PAGE = os.sysconf("SC_PAGE_SIZE")
TICKS = os.sysconf("SC_CLK_TCK")


class OwnProcess:
    """A running ``nova-all`` seen from outside."""

    def __init__(self, process: subprocess.Popen[bytes], home: Path, port: int, health: int) -> None:
        self.process = process
        self.home = home
        self.port = port
        self.health = health
        self.image = ""
        self.admin = User(port, "admin", "admin")
        self.demo = User(port, "demo", "demo")
        self.other = User(port, "other", "other")

    @property
    def log(self) -> str:
        """Return all it wrote."""
        return (self.home / "out.log").read_text(errors="replace")

    def log_bytes(self) -> int:
        """Return how much it wrote."""
        return (self.home / "out.log").stat().st_size

    def resident_bytes(self) -> int:
        """Return its memory."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * MEMORY_PAGE

    def cpu_s(self) -> float:
        """Return the CPU time that it has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def descriptors(self) -> int:
        """Count its open files."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def serves(self) -> bool:
        """Tell whether an honest request is answered."""
        with contextlib.suppress(OSError):
            return self.demo.ask("GET", "/servers").status == 200
        return False


@contextlib.contextmanager
def own_process(
    home: Path, *, mode: str = "eventlet", extra: str = "", daemons: tuple[str, ...] = DAEMONS, hosts: int = 1
) -> Iterator[OwnProcess]:
    """Run a cloud of fake hosts as ``nova-all`` below ``home``; flavors ``1`` and ``2``, one image."""
    home.mkdir(parents=True, exist_ok=True)
    file, port, health = home / "nova.conf", ports.free_port(), ports.free_port()
    text = OPTIONS.format(
        home=home,
        hosts=hosts,
        extra=extra,
        transport="memory:///own",
        database=f"sqlite:///{home}/nova.sqlite",
    )
    text = text.replace("api_listen_port = 0", f"api_listen_port = {port}")
    text = text.replace("enabled = false", f"enabled = true\nport = {health}")
    file.write_text(f"{text}\n[all]\ndaemons = {','.join(daemons)}\n")
    conf = load(["--config-file", str(file)], program="nova-all")
    (home / "images").mkdir(exist_ok=True)
    (home / "images" / "tiny.raw").write_bytes(b"\0" * 4096)
    migrate.upgrade(prepared_url(conf))
    seed(conf, Topology.NONE)
    with (home / "out.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "nova.cmd.all", "--config-file", str(file)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=os.environ | {"NOVA_CONCURRENCY": mode},
        )  # fmt: skip
    cloud = OwnProcess(process, home, port, health)
    try:
        eventually(lambda: _ready(cloud, hosts), timeout_s=60, pause_s=0.05)
        cloud.image = surroundings_image(conf)
        yield cloud
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _ready(cloud: OwnProcess, hosts: int) -> bool:
    if cloud.process.poll() is not None:
        raise RuntimeError(f"nova-all ended: {cloud.log[-2000:]}")
    try:
        answer = cloud.admin.ask("GET", "/os-hypervisors/detail")
    except OSError:
        return False
    return (
        answer.status == 200 and sum(1 for one in answer.body["hypervisors"] if one["state"] == "up") >= hosts
    )


def within(seconds: float) -> float:
    """Return the moment by which something must have happened."""
    return time.monotonic() + seconds
