"""The stock command lines and libraries, run in one process of their own Python environment.

Starting the ``openstack`` command takes two to three seconds; here its own ``main`` is called again and again
in one process a user (``client_process.py``), with the environment and words that a shell would give it.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.support.installed import clients_environment
from tests.support.netns import Namespace

_SERVER = Path(__file__).with_name("client_process.py")


class Said:
    """What a command said."""

    def __init__(self, command: str, facts: dict[str, Any]) -> None:
        self.command = command
        self.code: int = facts["code"]
        self.out: str = facts["out"]
        self.err: str = facts["err"]

    @property
    def json(self) -> Any:
        """Standard output, decoded."""
        return json.loads(self.out)

    def __repr__(self) -> str:
        return f"$ {self.command}\n(code {self.code})\n{self.out}\n{self.err}"


class ClientFailed(AssertionError):
    """A command that should have succeeded did not."""


class _OneUser:
    """A process that is the clients of one user: they keep what they read of the environment."""

    def __init__(self, network: Namespace, variables: Mapping[str, str]) -> None:
        argv = [str(clients_environment() / "bin/python"), "-W", "ignore", str(_SERVER)]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
        clean.pop("PYTHONPATH", None)
        self._process = network.popen(
            *argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**clean, **variables, "NO_PROXY": "*"}
        )

    def ask(self, **facts: Any) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(facts) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BaseException:
            # A test that was ended while it waited: its answer must not be taken for the next one's.
            self._process.kill()
            raise
        assert line, "the clients' process ended"
        found: dict[str, Any] = json.loads(line)
        return found

    @property
    def lives(self) -> bool:
        return self._process.poll() is None

    def end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Clients:
    """The clients of several users, by their names."""

    def __init__(self, network: Namespace, users: Mapping[str, Mapping[str, str]]) -> None:
        self._network = network
        self._users = users
        self._processes: dict[str, _OneUser] = {}

    def __enter__(self) -> Clients:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes.values():
            process.end()

    def _ask(self, user: str, **facts: Any) -> dict[str, Any]:
        if user not in self._processes or not self._processes[user].lives:
            self._processes[user] = _OneUser(self._network, self._users[user])
        return self._processes[user].ask(**facts)

    def run(self, command: str, user: str = "demo") -> Said:
        """Run ``nova ...`` or ``openstack ...``, whatever comes of it."""
        return Said(command, self._ask(user, argv=shlex.split(command)))

    def __call__(self, command: str, user: str = "demo") -> str:
        """Run a command that must succeed; return its standard output."""
        said = self.run(command, user)
        if said.code != 0:
            raise ClientFailed(repr(said))
        return said.out

    def json(self, command: str, user: str = "demo") -> Any:
        """Run an ``openstack`` command that must succeed, with ``-f json``; return what it said."""
        return json.loads(self(f"{command} -f json", user))

    def refused(self, command: str, user: str = "demo") -> str:
        """Run a command that must fail; return everything it said."""
        said = self.run(command, user)
        assert said.code != 0, said
        return said.out + said.err

    def script(self, path: Path, check: str, user: str = "demo", **facts: Any) -> Any:
        """Call a function of a file in the clients' Python, with the SDK's connection and novaclient."""
        said = self._ask(user, script=str(path), check=check, facts=facts)
        if said["code"] != 0:
            raise ClientFailed(f"{path.name} {check}: {said['err']}")
        return said["result"]
