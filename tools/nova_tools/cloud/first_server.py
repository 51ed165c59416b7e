"""Booting a server and proving that it lives: its console, a login over ssh."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from nova_tools.api_client import Token, password_token, request
from nova_tools.cloud.compute_api import ComputeApi, Server, address_of
from nova_tools.cloud.machine import name_of_this_machine
from nova_tools.cloud.parts import Cloud
from nova_tools.commands import environment, run
from nova_tools.guest_image import LOGIN_LINE
from nova_tools.trouble import Trouble
from nova_tools.waiting import wait_until

FLAVORS = {
    "m1.nano": (1, 128, 1),
    "m1.tiny": (1, 256, 1),
    "m1.small": (1, 512, 5),
    "m1.medium": (2, 1024, 10),
}
IMAGE = "tiny"
KEY = "demo"
FIRST = "first"
_ACTIVE_SECONDS = 180.0
_LOGIN_SECONDS = 180.0


@dataclass(frozen=True)
class Proof:
    """What was seen of a server."""

    server: Server
    address: str | None
    console: str
    said_over_ssh: str
    seconds: float


class Demo:
    """The demo project's view of a running cloud."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def token(self, user: str) -> Token:
        """Log one of the accounts in."""
        project = {"admin": "admin"}.get(user, "demo")
        return password_token(self._cloud.keystone.url, user, self._cloud.passwords[user], project)

    def api(self, user: str = "demo") -> ComputeApi:
        return ComputeApi(self._cloud.compute_url, self.token(user).value)

    def prepare(self) -> str | None:
        """Make flavors, the key pair, and let ssh and ping in. Idempotent."""
        admin = self.api("admin")
        for name, (vcpus, ram, disk) in FLAVORS.items():
            admin.ensure_flavor(name, vcpus=vcpus, ram=ram, disk=disk)
        member = self.api()
        member.ensure_key_pair(KEY, public_key(self._cloud.key_file))
        member.open_default_group()
        return None

    def wait_for_hosts(self) -> str | None:
        """Wait until every compute host is up."""
        wanted = self._cloud.settings.hosts
        admin = self.api("admin")
        if not wait_until(lambda: admin.hosts_up() >= wanted, 60 + wanted / 10, pause=0.2):
            raise Trouble(
                f"{admin.hosts_up()} of {wanted} compute hosts are up",
                "See './tools/cloud logs nova-compute'",
            )
        kind = {"QEMU": ", guests are emulated (KVM does not work here)"}.get(admin.hypervisor_type(), "")
        return f"{wanted} up{kind}"

    def boot(self, name: str) -> Server:
        """Return the server of this name, ACTIVE: booted, or started again when it was off."""
        api = self.api()
        server = api.find_server(name)
        if server is not None and server["status"] == "ERROR":
            api.ask("DELETE", f"servers/{server['id']}")
            wait_until(lambda: api.find_server(name) is None, 60, pause=0.2)
            server = None
        if server is None:
            flavor = self.api("admin").ensure_flavor("m1.nano", vcpus=1, ram=128, disk=1)
            server = api.boot(name, image=self.image_id(), flavor=flavor, key=KEY)
        elif server["status"] == "SHUTOFF":
            api.act(server["id"], "os-start")
        return api.wait_status(server["id"], "ACTIVE", _ACTIVE_SECONDS)

    def image_id(self) -> str:
        """Return the id of the guest image in Glance."""
        url = f"{self._cloud.glance.url}/v2/images?name={IMAGE}&status=active"
        found = request("GET", url, token=self.token("demo").value)["images"]
        if not found:
            raise Trouble(f"Glance has no image {IMAGE!r}", "Run './tools/cloud up' again")
        return str(found[0]["id"])

    def prove(self, server: Server) -> Proof:
        """Wait for the login line on the console, then log in over ssh. Raises :class:`Trouble`."""
        started = time.monotonic()
        api = self.api()
        if self._cloud.settings.driver == "fake":
            return Proof(server, address_of(server), api.console_output(server["id"], 20), "", 0.0)
        console = ""

        def shows_login() -> bool:
            nonlocal console
            console = api.console_output(server["id"], 60)
            return LOGIN_LINE in console

        if not wait_until(shows_login, _LOGIN_SECONDS, pause=0.3):
            end = console[-1500:]
            raise Trouble(
                f"Server {server['name']} is ACTIVE but shows no login; the end of its console:\n{end}"
            )
        address = address_of(server)
        if address is None:
            raise Trouble(f"Server {server['name']} has no address", "See './tools/cloud logs nova-network'")
        said = self._log_in(address)
        return Proof(server, address, console, said, time.monotonic() - started)

    def _log_in(self, address: str) -> str:
        argv = [*ssh_command(self._cloud.key_file, address), "hostname; uptime"]
        last = ""

        def logged_in() -> bool:
            nonlocal last
            done = subprocess.run(
                argv, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                timeout=40, check=False,
            )  # fmt: skip
            last = done.stdout.strip() if done.returncode == 0 else done.stderr.strip()
            return done.returncode == 0

        if not wait_until(logged_in, 60, pause=0.5):
            raise Trouble(f"The server at {address} lets nobody in over ssh: {last[-300:]}")
        return last


def ssh_command(key_file: Path, address: str) -> list[str]:
    """Return the command that logs in; a server's host key is new each time, so it is not remembered."""
    return [
        "ssh", "-i", str(key_file), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
        "-o", "LogLevel=ERROR", "-o", "ConnectTimeout=10", f"root@{address}",
    ]  # fmt: skip


def public_key(key_file: Path) -> str:
    """Return the public half of the key, made when there is none yet."""
    if not key_file.exists():
        run(
            [
                "ssh-keygen",
                "-q",
                "-t",
                "ed25519",
                "-N",
                "",
                "-C",
                f"demo@{name_of_this_machine()}",
                "-f",
                key_file,
            ]
        )
    return key_file.with_name(key_file.name + ".pub").read_text().strip()
