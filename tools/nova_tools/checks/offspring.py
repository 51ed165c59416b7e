"""All that descends from this process: orphans come to it, and nothing outlives it.

Tests start daemons that leave their group, their session and their parent (guests of libvirt, dnsmasq).
As the kernel's "subreaper" this process inherits them when whoever started them is gone, so all can be found.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from nova_tools.waiting import wait_until

_PR_SET_CHILD_SUBREAPER = 36
_PAUSE_SECONDS = 0.1
_END_SECONDS = 10.0


class Offspring:
    """Starts programs and knows everything that came of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._started: dict[int, subprocess.Popen[bytes]] = {}

    def adopt(self) -> None:
        """From now on inherit orphans, and collect those that ended. For the whole life of this process."""
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        threading.Thread(target=self._collect, name="collect-orphans", daemon=True).start()

    def start(
        self, argv: Sequence[str], *, output: IO[bytes], env: Mapping[str, str], cwd: Path
    ) -> subprocess.Popen[bytes]:
        """Start a program in a session of its own, both its streams going to ``output``."""
        with self._lock:
            process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=cwd, env=env,
                start_new_session=True,
            )  # fmt: skip
            self._started[process.pid] = process
        return process

    def forget(self, process: subprocess.Popen[bytes]) -> None:
        """A program that was started here has been waited for."""
        with self._lock:
            self._started.pop(process.pid, None)

    def interrupt(self) -> None:
        """Send SIGINT to what was started here and runs: the end that lets fixtures stop their daemons."""
        with self._lock:
            groups = list(self._started)
        for group in groups:
            signal_group(group, signal.SIGINT)

    def end_all(self) -> list[str]:
        """Kill every descendant; return their names. When this returns, none is left."""
        names: dict[int, str] = {}

        def none_left() -> bool:
            found = descendants(os.getpid())
            names.update(found)
            for pid in found:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return not found

        wait_until(none_left, _END_SECONDS)
        return sorted(names.values())

    def _collect(self) -> None:
        nothing = threading.Event()
        while True:
            with self._lock:
                collected = self._collect_one()
            if not collected:
                nothing.wait(_PAUSE_SECONDS)

    def _collect_one(self) -> bool:
        """Collect a dead orphan; one that was started here is left to who waits for it."""
        try:
            dead = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return False
        if dead is None or dead.si_pid in self._started:
            return False
        with contextlib.suppress(ChildProcessError):
            os.waitpid(dead.si_pid, os.WNOHANG)
        return True


def signal_group(group: int, number: signal.Signals) -> None:
    """Send a signal to a process group, if there is one."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)


def descendants(ancestor: int) -> dict[int, str]:
    """List the living processes below one, with their names."""
    children: dict[int, list[tuple[int, str]]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            before, after = path.read_text(errors="replace").rsplit(")", 1)
            fields = after.split()
            # A dead one may still have living children: it is followed, not listed.
            name = "" if fields[0] in "ZX" else before.split("(", 1)[1]
            children.setdefault(int(fields[1]), []).append((int(path.parent.name), name))
    found: dict[int, str] = {}
    front = [ancestor]
    while front:
        for pid, name in children.get(front.pop(), ()):
            front.append(pid)
            if name:
                found[pid] = name
    return found
