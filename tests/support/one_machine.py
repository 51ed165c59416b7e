"""A cloud as ``tools/cloud`` makes it, in a network namespace and a scratch directory of its own.

Its daemons run the code of this checkout in the tests' own Python; Keystone, Glance and the clients are those
that ``tools/test`` installed.
"""

from __future__ import annotations

import configparser
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nova_tools.cloud.parts import Cloud
from nova_tools.cloud.settings import load
from nova_tools.cloud.take_down import stop
from nova_tools.places import CHECKOUT, Places
from nova_tools.progress import Progress
from nova_tools.pythons import CLIENTS, IDENTITY, NOVA
from nova_tools.stamps import Stamps
from tests.support.installed import clients_environment, identity_environment, installed
from tests.support.libvirt import entered
from tests.support.netns import Namespace, namespace
from tests.support.services import scratch_directory

UP_SECONDS = 600.0
"""Far above the half minute of an idle machine."""


class OneMachine:
    """A cloud that ``tools/cloud up`` brought up; its commands and its parts."""

    def __init__(self, home: Path, network: Namespace, checkout: Path = CHECKOUT) -> None:
        self.home = home
        self.network = network
        self.checkout = checkout
        self.places = Places(home, home / "installed")

    @property
    def cloud(self) -> Cloud:
        settings = load(self.home / "settings.json")
        assert settings is not None
        return Cloud(self.places, settings)

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a person who has nothing of ours set but where the cloud lies."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("OS_", "NOVA_"))}
        kept.pop("PYTHONPATH", None)
        return {
            **kept,
            "NOVA_CLOUD_HOME": str(self.home),
            "NOVA_INSTALLED": str(self.places.installed),
            "NO_PROXY": "*",
            "no_proxy": "*",
        }

    def run(self, *words: str, seconds: float = UP_SECONDS) -> subprocess.CompletedProcess[str]:
        """Run ``tools/cloud`` with these words, whatever comes of it."""
        return self.sh(f"./tools/cloud {' '.join(words)}", seconds=seconds)

    def sh(self, script: str, seconds: float = 120.0) -> subprocess.CompletedProcess[str]:
        """Run a line of shell in the checkout, as a person would."""
        return subprocess.run(
            ["ip", "netns", "exec", self.network.name, "bash", "-c", script],
            env=self.environment, cwd=self.checkout, capture_output=True, text=True, timeout=seconds,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def up(self, *words: str) -> str:
        """Run ``up``; return what it printed."""
        done = self.run("up", *words)
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{self.logs()}"
        return done.stdout

    def logs(self) -> str:
        """Return the ends of all logs."""
        return self.run("logs", "-n", "30", seconds=60).stdout

    def status(self) -> dict[str, Any]:
        """Return what ``status --json`` says of each daemon, by name."""
        said = json.loads(self.run("status", "--json").stdout)
        return {daemon["name"]: daemon for daemon in said["daemons"]}

    def users(self, name: str = "demo") -> dict[str, str]:
        """Return the ``OS_`` variables of an account, as ``env`` prints them."""
        done = self.run("env", name)
        assert done.returncode == 0, done.stderr
        lines = [line.removeprefix("export ") for line in done.stdout.splitlines()]
        found = dict(line.split("=", 1) for line in lines)
        return {key: value.strip("'") for key, value in found.items() if key.startswith("OS_")}

    def options(self) -> configparser.ConfigParser:
        """Return nova.conf."""
        parser = configparser.ConfigParser(interpolation=None)
        parser.read(self.cloud.conf_file)
        return parser

    def end(self) -> None:
        """Stop everything and take the bridges away."""
        if (self.home / "settings.json").exists():
            with entered(self.network), open(os.devnull, "w") as nowhere:
                stop(self.cloud, Progress(nowhere))


@contextmanager
def one_machine(label: str) -> Iterator[OneMachine]:
    """Give a place for a cloud; what came up there is ended afterwards."""
    with scratch_directory(f"cloud-{label}") as home, namespace(label) as network:
        machine = OneMachine(home, network)
        furnish(machine.places)
        try:
            yield machine
        finally:
            machine.end()


def furnish(places: Places, *, nova: bool = True) -> None:
    """Lay out what ``tools/cloud`` would install, from what ``tools/test`` installed."""
    venvs, stamps = places.installed / "venvs", Stamps(places.stamps)
    venvs.mkdir(parents=True)
    for name in ("guest", "templates", "uv-cache"):
        (places.installed / name).symlink_to(installed() / name)
    (venvs / "uv").symlink_to(installed() / "venvs/uv")
    for wanted, there in ((IDENTITY, identity_environment()), (CLIENTS, clients_environment())):
        (venvs / wanted.name).symlink_to(there)
        stamps.put(f"venv-{wanted.name}", wanted.inputs)
    if nova:
        _make_programs(venvs / NOVA.name / "bin")
        stamps.put(f"venv-{NOVA.name}", NOVA.inputs)


def _make_programs(folder: Path) -> None:
    """Make the console scripts of this checkout, for the Python that runs the tests."""
    folder.mkdir(parents=True)
    (folder / "python").symlink_to(sys.executable)
    declared = configparser.ConfigParser()
    declared.read(CHECKOUT / "setup.cfg")
    for line in declared["options.entry_points"]["console_scripts"].split("\n"):
        if line:
            name, place = (word.strip() for word in line.split("="))
            module, function = place.split(":")
            (folder / name).write_text(
                f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(CHECKOUT)!r})\n"
                f"from {module} import {function}\nsys.exit({function}())\n"
            )
            (folder / name).chmod(0o755)


def missing() -> str:
    """Say what this machine lacks for a cloud; nothing when all is there."""
    programs = ("ip", "nft", "dnsmasq", "virsh", "qemu-system-x86_64", "ssh")
    return " ".join(program for program in programs if shutil.which(program) is None)
