"""Run a program: no shell, a deadline, bounded output, and green threads keep running meanwhile."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from nova.errors.host import CommandFailed, CommandTimedOut, ProgramMissing

MAX_OUTPUT = 4 * 1024 * 1024
"""Bytes of output that are read back; more is cut."""
_STDERR_IN_ERRORS = 2000


class Completed(msgspec.Struct, frozen=True):
    """A program that ended."""

    code: int
    stdout: bytes
    stderr: bytes

    @property
    def text(self) -> str:
        """Standard output as text; bytes that are not UTF-8 are replaced."""
        return self.stdout.decode(errors="replace")


def run(
    argv: Sequence[str | os.PathLike[str]],
    *,
    timeout_s: float,
    stdin: bytes | None = None,
    ok: Iterable[int] = (0,),
    env: Mapping[str, str] | None = None,
    cwd: str | os.PathLike[str] | None = None,
) -> Completed:
    """Run ``argv`` to its end and return what it said.

    Raises :class:`CommandFailed` for an exit code outside ``ok``, :class:`CommandTimedOut` after killing it
    (with its process group) at ``timeout_s`` seconds, :class:`ProgramMissing` when it cannot be started.
    ``env`` adds to the environment; messages are always in English.  A program that goes to the background
    may outlive the call: its output goes to memory files, so nothing waits for it to close a pipe.
    """
    program = os.path.basename(os.fspath(argv[0]))
    with _memory_file(stdin or b"") as given, _memory_file() as out, _memory_file() as err:
        try:
            # A session of its own, so that a kill reaches what the program started.
            process = subprocess.Popen(
                [os.fspath(a) for a in argv],
                stdin=given.fd,
                stdout=out.fd,
                stderr=err.fd,
                env={**os.environ, "LC_ALL": "C", **(env or {})},
                cwd=cwd,
                start_new_session=True,
            )
        except OSError as error:
            raise ProgramMissing(program=program, reason=str(error)) from error
        if not _wait(process, timeout_s):
            _kill(process)
            raise CommandTimedOut(program=program, seconds=timeout_s)
        done = Completed(process.returncode, out.content(), err.content())
    if done.code not in ok:
        said = done.stderr.decode(errors="replace").strip()[-_STDERR_IN_ERRORS:]
        raise CommandFailed(program=program, code=done.code, stderr=said)
    return done


class _memory_file:  # noqa: N801 - used as a function in a with statement
    """An anonymous file in memory, rewound."""

    def __init__(self, content: bytes = b"") -> None:
        self.fd = os.memfd_create("run")
        if content:
            view = memoryview(content)
            while view:
                view = view[os.write(self.fd, view) :]
            os.lseek(self.fd, 0, os.SEEK_SET)

    def __enter__(self) -> _memory_file:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.fd)

    def content(self) -> bytes:
        return os.pread(self.fd, MAX_OUTPUT, 0)


def _wait(process: subprocess.Popen[bytes], timeout_s: float) -> bool:
    """Wait for the end by a descriptor, not by asking again and again; false when time is up."""
    pidfd = os.pidfd_open(process.pid)
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(pidfd, selectors.EVENT_READ)
            if not selector.select(timeout_s):
                return False
        process.wait()
        return True
    finally:
        os.close(pidfd)


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
