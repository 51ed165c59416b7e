"""Proving that a server lives: nothing is believed but a login.

What the API and the console say may be of yesterday: after a power cut a server is ACTIVE until its host has
looked, and the console still shows the login line of the boot before. So both are looked at again and again,
a server that is off, paused or suspended is woken, and only who is let in over ssh is convinced.
"""

from __future__ import annotations

import contextlib
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from nova_tools import ports
from nova_tools.api_client import ApiError
from nova_tools.cloud.compute_api import ComputeApi, Server, address_of
from nova_tools.commands import environment
from nova_tools.guest_image import LOGIN_LINE
from nova_tools.trouble import Trouble

_SECONDS = 300.0
_PAUSE_SECONDS = 0.3
_BOOT_ENDS_SECONDS = 30.0
"""How long the rest of a boot may take on a busy machine once the guest lets somebody in."""
_LINES = 60
_WAKING = {"SHUTOFF": "os-start", "PAUSED": "unpause", "SUSPENDED": "resume"}


@dataclass(frozen=True)
class Proof:
    """What was seen of a server."""

    server: Server
    address: str | None
    console: str
    said_over_ssh: str


def waking_action(server: Server) -> str | None:
    """Return the action that wakes a server; none when it is awake or something is under way already."""
    if server.get("OS-EXT-STS:task_state") is not None:
        return None
    return _WAKING.get(server["status"])


@dataclass(frozen=True)
class Prover:
    """Wakes a server and logs in."""

    api: ComputeApi
    key_file: Path
    seconds: float = _SECONDS

    def active(self, server_id: str) -> Server:
        """Return the server once the API says that it is ACTIVE. Raises :class:`Trouble`."""
        end = time.monotonic() + self.seconds
        while (server := self._looked_at(server_id))["status"] != "ACTIVE":
            if time.monotonic() > end:
                raise Trouble(self._not_active(server), "See './tools/cloud logs'")
            time.sleep(_PAUSE_SECONDS)
        return server

    def login(self, server_id: str) -> Proof:
        """Return what the server said over ssh and what its console shows then. Raises :class:`Trouble`."""
        end = time.monotonic() + self.seconds
        refusal = "nothing was tried"
        while True:
            server = self._looked_at(server_id)
            address = address_of(server)
            if server["status"] == "ACTIVE" and address is not None:
                said, refusal = log_in(self.key_file, address)
                if said is not None:
                    return Proof(server, address, self._console_of_a_whole_boot(server_id), said)
            if time.monotonic() > end:
                raise self._trouble(server, address, refusal)
            time.sleep(_PAUSE_SECONDS)

    def console(self, server_id: str) -> str:
        """Return the end of what the server wrote to its serial line; nothing when nobody can say."""
        with contextlib.suppress(ApiError, OSError):
            return self.api.console_output(server_id, _LINES)
        return ""

    def _console_of_a_whole_boot(self, server_id: str) -> str:
        # sshd of the guest starts before its boot is through.
        end = time.monotonic() + _BOOT_ENDS_SECONDS
        while LOGIN_LINE not in (console := self.console(server_id)) and time.monotonic() < end:
            time.sleep(_PAUSE_SECONDS)
        return console

    def _looked_at(self, server_id: str) -> Server:
        server = self.api.show(server_id)
        if server["status"] == "ERROR":
            fault = server.get("fault", {}).get("message", "it does not say why")
            raise Trouble(f"Server {server['name']} went to ERROR: {fault}", "See './tools/cloud logs'")
        action = waking_action(server)
        if action is not None:
            with contextlib.suppress(ApiError):  # somebody was quicker: the next look tells
                self.api.act(server_id, action)
        return server

    def _not_active(self, server: Server) -> str:
        task = server.get("OS-EXT-STS:task_state")
        return (
            f"Server {server['name']} is {server['status']} (task {task}), not ACTIVE, "
            f"after {self.seconds:.0f} s"
        )

    def _trouble(self, server: Server, address: str | None, refusal: str) -> Trouble:
        if server["status"] != "ACTIVE":
            return Trouble(self._not_active(server), "See './tools/cloud logs'")
        if address is None:
            return Trouble(f"Server {server['name']} has no address", "See './tools/cloud logs nova-network'")
        console = self.console(server["id"])
        shows = "shows a login" if LOGIN_LINE in console else "shows no login"
        return Trouble(
            f"Server {server['name']} is ACTIVE and its console {shows}, but after {self.seconds:.0f} s "
            f"nobody is let in at {address}: {refusal}",
            f"The end of its console:\n{console[-1500:]}",
        )


def log_in(key_file: Path, address: str) -> tuple[str | None, str]:
    """Try to log in once; return what the server said, or none and why not."""
    if not ports.answers(address, 22, seconds=2.0):
        return None, "nothing answers at port 22"
    try:
        done = subprocess.run(
            [*ssh_command(key_file, address), "hostname; uptime"], env=environment(),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=40, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return None, "ssh got no further within 40 s"
    if done.returncode != 0:
        return None, done.stderr.strip()[-300:] or f"ssh ended with code {done.returncode}"
    return done.stdout.strip(), ""


def ssh_command(key_file: Path, address: str) -> list[str]:
    """Return the command that logs in; a server's host key is new each time, so it is not remembered."""
    return [
        "ssh", "-i", str(key_file), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
        "-o", "LogLevel=ERROR", "-o", "ConnectTimeout=10", "-o", "BatchMode=yes", f"root@{address}",
    ]  # fmt: skip
