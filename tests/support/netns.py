"""Network namespaces for tests: small machines that share this one's kernel."""

from __future__ import annotations

import concurrent.futures
import contextlib
import os
import subprocess
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from nova import ids

T = TypeVar("T")

CAN_MAKE = os.geteuid() == 0
"""Namespaces need root."""


class Namespace:
    """One network namespace with its loopback device switched on."""

    def __init__(self, label: str) -> None:
        self.name = f"nt-{label}-{ids.new_uuid()[:8]}"

    def make(self) -> None:
        _ip("netns", "add", self.name)
        _ip("-n", self.name, "link", "set", "lo", "up")

    def remove(self) -> None:
        """End what runs inside and take the namespace away."""
        pids = subprocess.run(["ip", "netns", "pids", self.name], capture_output=True, text=True, timeout=20)
        for pid in pids.stdout.split():
            if int(pid) != os.getpid():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), 9)
        subprocess.run(["ip", "netns", "del", self.name], capture_output=True, timeout=20)

    def ip(self, *words: str) -> str:
        """Run ``ip`` inside."""
        return _ip("-n", self.name, *words)

    def run(self, *argv: str, check: bool = True, timeout: float = 20, **more: Any) -> Any:
        """Run a program inside and return what it said."""
        return subprocess.run(
            ["ip", "netns", "exec", self.name, *argv],
            capture_output=True,
            text=True,
            check=check,
            timeout=timeout,
            **more,
        )

    def popen(self, *argv: str, **more: Any) -> subprocess.Popen[str]:
        """Start a program inside."""
        return subprocess.Popen(["ip", "netns", "exec", self.name, *argv], text=True, **more)

    def inside(self, call: Callable[[], T]) -> T:
        """Call a function in a native thread that lives inside; threads it starts live there too."""
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            return pool.submit(self._enter, call).result()

    def _enter(self, call: Callable[[], T]) -> T:
        from pyroute2.netns import setns

        setns(self.name)
        return call()


@contextlib.contextmanager
def namespace(label: str) -> Iterator[Namespace]:
    """Make a namespace for the duration of a test."""
    made = Namespace(label)
    made.make()
    try:
        yield made
    finally:
        made.remove()


def cable(one: Namespace, device: str, other: Namespace, other_device: str) -> None:
    """Connect two namespaces by a pair of devices, switched on."""
    one.ip("link", "add", device, "type", "veth", "peer", "name", other_device, "netns", other.name)
    one.ip("link", "set", device, "up")
    other.ip("link", "set", other_device, "up")


def _ip(*words: str) -> str:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, timeout=20)
    if done.returncode:
        raise AssertionError(f"ip {' '.join(words)}: {done.stderr}")
    return done.stdout
