"""Daemons as processes of ours: started, watched, started again a second after they end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nova_tools.api_client import ApiError, request
from nova_tools.commands import environment, one_line, tail
from nova_tools.places import CHECKOUT
from nova_tools.trouble import Trouble
from nova_tools.waiting import wait_until

RESTART_AFTER_S = 1.0
_LOOK_S = 0.1


@dataclass(frozen=True, kw_only=True)
class Role:
    """One daemon of the cloud: which program, under which name, with which options of its own."""

    name: str
    """``conductor-1``; also the name of its log."""
    program: str
    """Module below ``nova.cmd``."""
    config: tuple[Path, ...]
    health: int
    port: int | None = None
    """Where it serves users, if it does."""
    env: dict[str, str] = field(default_factory=dict)
    wrapper: tuple[str, ...] = ()
    """Words before the program, such as ``ip netns exec``."""


class Daemon:
    """A role with its present process."""

    def __init__(self, role: Role, logs: Path, python: str) -> None:
        self.role = role
        self.log = logs / f"{role.name}.log"
        self.starts = 0
        self.ended: list[int] = []
        """Exit codes of processes that ended by themselves."""
        self._python = python
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.RLock()
        self._expected = False
        self._down_since: float | None = None

    @property
    def pid(self) -> int | None:
        """The present process; none when there is none."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def start(self) -> None:
        """Start a process unless one runs."""
        with self._lock:
            self._expected = True
            if self.pid is not None:
                return
            words = [str(w) for file in self.role.config for w in ("--config-file", file)]
            argv = [*self.role.wrapper, self._python, "-m", f"nova.cmd.{self.role.program}", *words]
            env = environment(PYTHONPATH=str(CHECKOUT), **self.role.env)
            with self.log.open("ab") as sink:
                sink.write(f"--- start {self.starts + 1}\n".encode())
                sink.flush()
                self._process = subprocess.Popen(
                    [*argv, f"--health-port={self.role.health}"],
                    stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, env=env, cwd="/",
                    start_new_session=True,
                )  # fmt: skip
            self.starts += 1
            self._down_since = None

    def signal(self, number: signal.Signals) -> bool:
        """Send a signal to the process; False when there is none."""
        pid = self.pid
        if pid is None:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        return True

    def kill(self) -> bool:
        """SIGKILL; the keeper starts it again."""
        return self.signal(signal.SIGKILL)

    def freeze(self) -> bool:
        """SIGSTOP."""
        return self.signal(signal.SIGSTOP)

    def thaw(self) -> bool:
        """SIGCONT."""
        return self.signal(signal.SIGCONT)

    def stop(self, seconds: float = 60.0) -> int | None:
        """SIGTERM and wait; not started again. Returns its exit code, none when it had to be killed."""
        with self._lock:
            self._expected = False
            self.signal(signal.SIGCONT)
            if not self.signal(signal.SIGTERM):
                return self._process.returncode if self._process else 0
        assert self._process is not None
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
            return None

    def revive(self, now: float) -> bool:
        """Start it again when it ended and its pause is over; called often by the keeper."""
        with self._lock:
            if not self._expected or self.pid is not None:
                return False
            if self._down_since is None:
                self._down_since = now
                if self._process is not None and self._process.returncode not in (None, -signal.SIGKILL):
                    self.ended.append(self._process.returncode)
            if now - self._down_since < RESTART_AFTER_S:
                return False
            self.start()
            return True

    def ready(self) -> bool:
        """Tell whether it serves."""
        return self.readiness() is None

    def readiness(self) -> str | None:
        """Return what it waits for, in its own words; none when it serves."""
        if self.pid is None:
            return "it does not run"
        try:
            request("GET", f"http://127.0.0.1:{self.role.health}/readyz", seconds=2)
        except ApiError as error:
            return one_line(error.body)
        except (OSError, ValueError) as error:
            return f"it does not answer: {type(error).__name__}"
        return None


class Keeper:
    """Keeps daemons running."""

    def __init__(self, daemons: Sequence[Daemon]) -> None:
        self.daemons = daemons
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="keeper", daemon=True)

    def start(self, seconds: float = 120.0) -> None:
        """Start all and wait until they serve; raises :class:`Trouble` naming who does not."""
        for daemon in self.daemons:
            daemon.start()
        self._thread.start()
        if not wait_until(lambda: all(daemon.ready() for daemon in self.daemons), seconds, pause=0.3):
            late = next(daemon for daemon in self.daemons if not daemon.ready())
            words = one_line(tail(late.log, 4))
            raise Trouble(
                f"{late.role.name} does not serve after {seconds:.0f} s: {late.readiness()}; {words}",
                f"See {late.log}",
            )

    def _keep(self) -> None:
        while not self._stopping.wait(_LOOK_S):
            now = time.monotonic()
            for daemon in self.daemons:
                daemon.revive(now)

    def stop(self) -> None:
        """End all daemons, side by side."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(5)
        enders = [threading.Thread(target=daemon.stop, args=(20.0,)) for daemon in self.daemons]
        for ender in enders:
            ender.start()
        for ender in enders:
            ender.join()
