"""A real guest of a cloud on one machine, as its owner reaches it: over ssh, and by its console."""

from __future__ import annotations

import shlex
import subprocess

from nova_tools.cloud.proving import ssh_command
from nova_tools.waiting import wait_until
from tests.support.clients import Clients
from tests.support.one_machine import OneMachine

BOOT_SECONDS = 300.0
"""Fifty times what an idle machine needs: guests are emulated, and the machine is busy."""


class Guest:
    """One server, logged in to over ssh."""

    def __init__(self, machine: OneMachine, cli: Clients, name: str) -> None:
        self._machine = machine
        self._cli = cli
        self.name = name
        shown = self.shown()
        self.id: str = shown["id"]
        self.address: str = next(iter(shown["addresses"].values()), [""])[0]

    def shown(self, user: str = "demo") -> dict:
        """Return what ``openstack server show`` says."""
        return self._cli.json(f"openstack server show {self.name}", user)

    def wait(self, status: str, seconds: float = BOOT_SECONDS) -> dict:
        """Wait until the server has a status and nothing is under way."""
        shown: dict = {}

        def there() -> bool:
            nonlocal shown
            shown = self.shown()
            return shown["status"] == status and not shown["OS-EXT-STS:task_state"]

        assert wait_until(there, seconds, pause=0.2), shown
        return shown

    def console(self) -> str:
        """Return what ``nova console-log`` shows."""
        return self._cli(f"nova console-log {self.name}")

    def expect(self, words: str, seconds: float = BOOT_SECONDS) -> str:
        """Wait for words on the console."""
        seen = ""

        def there() -> bool:
            nonlocal seen
            seen = self.console()
            return words in seen

        assert wait_until(there, seconds, pause=0.5), f"no {words!r} in:\n{seen[-3000:]}"
        return seen

    def try_ssh(self, command: str, seconds: float = 60.0) -> subprocess.CompletedProcess[str]:
        """Run a command in the guest, once, whatever comes of it."""
        argv = ssh_command(self._machine.cloud.key_file, self.address)
        return self._machine.sh(shlex.join([*argv, command]), seconds=seconds)

    def ssh(self, command: str, seconds: float = BOOT_SECONDS) -> str:
        """Run a command in the guest as soon as it lets us in; return what it said."""
        done: subprocess.CompletedProcess[str] | None = None

        def let_in() -> bool:
            nonlocal done
            done = self.try_ssh(command)
            return done.returncode != 255  # ssh's own failures

        assert wait_until(let_in, seconds, pause=0.5), done
        assert done is not None and done.returncode == 0, done
        return done.stdout.strip()
