"""What a daemon tells systemd, on a real socket: ready, reloading, stopping, and that it lives."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nova_tools.ports import free_port
from tests.support.services import scratch_directory

HERE = Path(__file__).parents[2]
OPTIONS = """
[DEFAULT]
host = one
state_path = {home}
transport_url = memory:///one
compute_driver = fake
update_resources_interval = 1
[database]
connection = sqlite:///{home}/nova.sqlite
[api]
auth_strategy = noauth2
[wsgi]
api_listen = 127.0.0.1
api_listen_port = 0
[image]
store = directory
directory = {home}/images
[fake]
script = {home}/script.json
[health]
stuck_after = 1.0
[all]
daemons = nova-conductor,nova-scheduler,nova-compute,nova-api
"""
WATCHDOG_S = 1.0


class Manager:
    """Plays systemd: a socket for news, and one program that is told of it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(home / "notify"))
        (home / "nova.conf").write_text(OPTIONS.format(home=home))
        (home / "script.json").write_text("[]")
        (home / "images").mkdir()
        self.heard: list[tuple[float, str]] = []
        self.health = free_port()
        config = f"--config-file={home}/nova.conf"
        env = {**os.environ, "PYTHONPATH": str(HERE), "NOVA_CONCURRENCY": "eventlet"}
        subprocess.run(
            [sys.executable, "-m", "nova.cmd.manage.main", config, "db", "sync"],
            check=True, env=env, timeout=120, capture_output=True,
        )  # fmt: skip
        env |= {"NOTIFY_SOCKET": str(home / "notify"), "WATCHDOG_USEC": str(int(WATCHDOG_S * 1e6))}
        with (home / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "nova.cmd.all", config, f"--health-port={self.health}"],
                env=env, stdout=log, stderr=log,
            )  # fmt: skip

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        self.process.wait(20)
        self._socket.close()

    def hear(self, wanted: str, within_s: float = 60.0) -> bool:
        """Wait for news; False when it does not come in time."""
        end = time.monotonic() + within_s
        while (left := end - time.monotonic()) > 0:
            self._socket.settimeout(left)
            try:
                words = self._socket.recv(4096).decode()
            except TimeoutError:
                return False
            self.heard.append((time.monotonic(), words))
            if any(line == wanted for line in words.splitlines()):
                return True
        return False

    def quiet(self, unwanted: str, for_s: float) -> bool:
        """Tell whether some news does not come for so long, within a minute; old news are passed over."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if not self.hear(unwanted, for_s):
                return True
        return False

    def script(self, text: str) -> None:
        """Change what the fake hypervisor does."""
        beside = self.home / "script.new"
        beside.write_text(text)
        beside.rename(self.home / "script.json")


@pytest.fixture
def manager() -> Iterator[Manager]:
    with scratch_directory("notify") as home:
        made = Manager(home)
        try:
            yield made
        finally:
            made.close()


def test_systemd_is_told_of_every_turn_of_a_life(manager: Manager) -> None:
    assert manager.hear("READY=1")
    assert manager.hear("WATCHDOG=1", 20)
    manager.process.send_signal(signal.SIGHUP)
    assert manager.hear("RELOADING=1", 20)
    assert manager.hear("READY=1", 20)
    # A process that stands still as a whole feeds nothing.
    manager.process.send_signal(signal.SIGSTOP)
    assert manager.quiet("WATCHDOG=1", 4 * WATCHDOG_S)
    manager.process.send_signal(signal.SIGCONT)
    assert manager.hear("WATCHDOG=1", 20)
    # Nor does one of whose loops a run does not end.
    manager.script('[{"method": "inventories", "fault": "hang"}]')
    assert manager.quiet("WATCHDOG=1", 4 * WATCHDOG_S)
    manager.script("[]")
    assert manager.hear("WATCHDOG=1", 30)
    manager.process.send_signal(signal.SIGTERM)
    assert manager.hear("STOPPING=1", 20)
    assert manager.process.wait(60) == 0
    assert not manager.hear("WATCHDOG=1", 0.5)
