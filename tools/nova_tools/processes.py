"""Long-running programs started by hand: pid files, logs, readiness, an orderly end.

There is no service manager on the machines this is for, so a :class:`Supervisor` does the little that is
needed: it starts a program once, remembers it in a pid file that survives us, waits until the program says
it is ready, and stops it together with its children.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nova_tools import ports
from nova_tools.commands import environment, one_line, tail
from nova_tools.trouble import Trouble
from nova_tools.waiting import wait_until


@dataclass(frozen=True, kw_only=True)
class Program:
    """One program to keep running.

    ``ready`` asks the program itself and is called until it says yes; ``port`` is checked to be free
    before the start and shown by ``status``.  ``runs_on`` says what it is started from, as where it is
    installed: one that was started from something else is started anew.
    """

    name: str
    argv: tuple[str, ...]
    ready: Callable[[], bool]
    env: Mapping[str, str] = field(default_factory=dict)
    address: str = "127.0.0.1"
    port: int | None = None
    runs_on: str = ""
    start_seconds: float = 60.0
    stop_seconds: float = 20.0
    stop_signal: signal.Signals = signal.SIGTERM
    after_stop: Callable[[], object] | None = None


class Supervisor:
    """Starts and stops programs; their pid files and logs live in two directories."""

    def __init__(self, run_dir: Path, log_dir: Path) -> None:
        self.run_dir = run_dir
        self.log_dir = log_dir

    def log_of(self, name: str) -> Path:
        """Return where the program's output goes."""
        return self.log_dir / f"{name}.log"

    def pid(self, name: str) -> int | None:
        """Return the pid of a program we started and that still runs."""
        written = self._written(name)
        if written is None:
            return None
        pid, started = written
        _reap(pid)
        if _start_time(pid) == started:
            return pid
        # It may have ended meanwhile.  The dead are in the way: PostgreSQL takes them for living.
        _reap(pid)
        return None

    def _written(self, name: str) -> tuple[int, str] | None:
        """Read a pid file: pid and start time; none when it is damaged or the machine was started since."""
        try:
            pid, started, *boot = self._pid_file(name).read_text().split("\n")[0].split()
            return (int(pid), started) if boot in ([], [_boot_id()]) else None
        except (OSError, ValueError):
            return None

    def runs_on(self, name: str) -> str:
        """Return where a program we started was installed; nothing when that is not known."""
        try:
            return self._pid_file(name).read_text().split("\n")[1]
        except (OSError, ValueError, IndexError):
            return ""

    def names(self) -> list[str]:
        """List every program that was started and not stopped, running or not."""
        return sorted(path.stem for path in self.run_dir.glob("*.pid"))

    def start(self, program: Program) -> bool:
        """Start a program and wait until it is ready; return False when it already ran.

        One that was started from elsewhere than where it is installed now is stopped first.

        Raises :class:`Trouble` when its port is taken, when it ends early or is not ready in time.
        """
        if self.pid(program.name) is not None:
            if program.runs_on in ("", self.runs_on(program.name)):
                self._wait_ready(program)
                return False
            self.end(program)
        self._end_orphans(program.name)
        port = program.port
        if port is not None:
            # A process that was killed just now holds its port until the last of its threads is gone.
            wait_until(lambda: ports.is_free(program.address, port), 2)
            ports.require_free(program.address, port, program.name)
        self.run_dir.mkdir(parents=True, exist_ok=True)
        self.log_dir.mkdir(parents=True, exist_ok=True)
        with self.log_of(program.name).open("ab") as log:
            try:
                process = subprocess.Popen(
                    program.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    env=environment(**program.env), start_new_session=True, cwd="/",
                )  # fmt: skip
            except FileNotFoundError:
                raise Trouble(
                    f"{program.argv[0]} is not installed", "Run this again to install what is missing"
                ) from None
        process.returncode = 0  # it outlives us on purpose: no warning when the handle is dropped
        self._pid_file(program.name).write_text(
            f"{process.pid} {_start_time(process.pid)} {_boot_id()}\n{program.runs_on}\n"
        )
        self._wait_ready(program)
        return True

    def _wait_ready(self, program: Program) -> None:
        became_ready = False

        def ended_or_ready() -> bool:
            # Asked once and believed: on a busy machine the next question may not be answered in time.
            nonlocal became_ready
            became_ready = self.pid(program.name) is not None and program.ready()
            return became_ready or self.pid(program.name) is None

        wait_until(ended_or_ready, program.start_seconds)
        log = self.log_of(program.name)
        if self.pid(program.name) is None:
            raise Trouble(
                f"{program.name} ended right after its start: {one_line(tail(log, 4))}", f"See {log}"
            )
        if not became_ready:
            raise Trouble(
                f"{program.name} was not ready within {program.start_seconds:.0f} seconds",
                f"See {log}; on a busy machine simply run this again",
            )

    def stop(self, name: str, *, seconds: float = 20.0, with_signal: signal.Signals = signal.SIGTERM) -> bool:
        """Ask a program to end, insist after ``seconds``; return False when it did not run.

        When this returns the program is really gone, so its ports may be used again.
        """
        pid = self.pid(name)
        if pid is not None:
            _signal(pid, with_signal)
            if not wait_until(lambda: self.pid(name) is None, seconds):
                _signal(pid, signal.SIGKILL)
                wait_until(lambda: self.pid(name) is None, 5)
            # Its children have had the same news; what still lives after a moment is in the way.
            if not wait_until(lambda: not _group_lives(pid), 2):
                _signal_group(pid, signal.SIGKILL)
                wait_until(lambda: not _group_lives(pid), 5)
        else:
            self._end_orphans(name)
        self._pid_file(name).unlink(missing_ok=True)
        return pid is not None

    def _end_orphans(self, name: str) -> None:
        """End what a program left behind that was killed itself, as a wrapper leaves its server.

        A process group keeps its number from being given to others for as long as it has members.
        """
        written = self._written(name)
        if written is None or Path(f"/proc/{written[0]}").exists() or not _group_lives(written[0]):
            return
        _signal_group(written[0], signal.SIGTERM)
        if not wait_until(lambda: not _group_lives(written[0]), 20):
            _signal_group(written[0], signal.SIGKILL)
            wait_until(lambda: not _group_lives(written[0]), 5)

    def kill(self, name: str) -> None:
        """End a program and its children at once, as a power cut does."""
        pid = self.pid(name)
        if pid is not None:
            _signal_group(pid, signal.SIGKILL)
        self.stop(name)

    def end(self, program: Program) -> bool:
        """Stop a program in the way it wants to be stopped."""
        ran = self.stop(program.name, seconds=program.stop_seconds, with_signal=program.stop_signal)
        if program.after_stop is not None:
            program.after_stop()
        return ran

    def _pid_file(self, name: str) -> Path:
        return self.run_dir / f"{name}.pid"


def _boot_id() -> str:
    """Return what the kernel drew at this start of the machine: pids and start times begin anew with it."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _start_time(pid: int) -> str | None:
    """Return the kernel's start time of a living process: with the pid it names a process for good."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


def _group_lives(group: int) -> bool:
    """Tell whether some process of a process group is left (a dead one that nobody collects is not)."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rsplit(")", 1)[1].split()
            if fields[2] == str(group) and fields[0] not in "ZX":
                return True
    return False


def _reap(pid: int) -> None:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _signal_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
