"""Booting a first server: flavors, a key pair, rules, and the server itself."""

from __future__ import annotations

from pathlib import Path

from nova_tools.api_client import Token, password_token, request
from nova_tools.cloud.compute_api import ComputeApi, Server, address_of
from nova_tools.cloud.machine import name_of_this_machine
from nova_tools.cloud.parts import Cloud
from nova_tools.cloud.proving import Proof, Prover
from nova_tools.commands import run
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
        return f"{wanted} up{', guests are emulated (KVM does not work here)' if self._emulates() else ''}"

    def _emulates(self) -> bool:
        found = self._cloud.virt_type
        return found.exists() and found.read_text().split()[-1:] == ["qemu"]

    def boot(self, name: str) -> Server:
        """Return the server of this name, asked for if there is none that could be woken."""
        api = self.api()
        server = api.find_server(name)
        if server is not None and server["status"] == "ERROR":
            api.ask("DELETE", f"servers/{server['id']}")
            wait_until(lambda: api.find_server(name) is None, 60, pause=0.2)
            server = None
        if server is None:
            flavor = self.api("admin").ensure_flavor("m1.nano", vcpus=1, ram=128, disk=1)
            server = api.boot(name, image=self.image_id(), flavor=flavor, key=KEY)
        return server

    def image_id(self) -> str:
        """Return the id of the guest image in Glance."""
        url = f"{self._cloud.glance.url}/v2/images?name={IMAGE}&status=active"
        found = request("GET", url, token=self.token("demo").value)["images"]
        if not found:
            raise Trouble(f"Glance has no image {IMAGE!r}", "Run './tools/cloud up' again")
        return str(found[0]["id"])

    def prove(self, server: Server) -> Proof:
        """Log in over ssh; a server of the fake driver need only be ACTIVE. Raises :class:`Trouble`."""
        prover = Prover(self.api(), self._cloud.key_file)
        if self._cloud.settings.driver != "fake":
            return prover.login(server["id"])
        awake = prover.active(server["id"])
        return Proof(awake, address_of(awake), prover.console(awake["id"]), "")


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
