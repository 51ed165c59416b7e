"""Who holds what, known to all processes that share a world.

One file of lines, ``+<thing> <owner> .`` and ``-<thing> .`` (a line without its end is not true), appended
under a lock; each process reads what the others wrote before it adds its own.  (A file a thing would be
simpler, but making a file costs a hundred times as much as writing a line.)
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pathlib
from collections.abc import Iterator, Sequence

LONG_BYTES = 4 << 20
"""A file longer than this, and mostly of the past, is written anew when a process opens it."""


class Claims:
    """For one thread at a time of each process."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._path = folder / "claims.log"
        self._lock = os.open(folder / "claims.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._file = -1
        self._inode = 0
        self._read_to = 0
        self._owners: dict[str, str] = {}
        with self._exclusively():
            if self._read_to > LONG_BYTES:
                self._shorten()

    def take(self, things: Sequence[str], owner: str) -> tuple[str, str] | None:
        """Take hold of all things or of none; then return the first that somebody else has, and who."""
        with self._exclusively():
            for thing in things:
                holder = self._owners.get(thing, owner)
                if holder != owner:
                    return thing, holder
            self._write([f"+{thing} {owner} .\n" for thing in things])
        return None

    def release(self, things: Sequence[str]) -> None:
        """Let go of things; those not held are fine."""
        with self._exclusively():
            self._write([f"-{thing} .\n" for thing in things if thing in self._owners])

    def held(self) -> dict[str, str]:
        """Return every thing with its owner."""
        with self._exclusively():
            return dict(self._owners)

    @contextlib.contextmanager
    def _exclusively(self) -> Iterator[None]:
        """Keep other processes out and know all they wrote."""
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        try:
            self._catch_up()
            yield
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    def _catch_up(self) -> None:
        try:
            facts = os.stat(self._path)
            inode, size = facts.st_ino, facts.st_size
        except FileNotFoundError:
            inode, size = 0, 0
        if inode != self._inode or inode == 0:
            self._open()
            size = os.fstat(self._file).st_size
        if size > self._read_to:
            content = os.pread(self._file, size - self._read_to, self._read_to)
            self._read_to = size
            self._apply(content.decode(errors="replace"))
            if not content.endswith(b"\n"):
                # a process was killed while it wrote: what it wrote was never true
                self._read_to += os.write(self._file, b"\n")

    def _open(self) -> None:
        if self._file >= 0:
            os.close(self._file)
        self._file = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._inode, self._read_to, self._owners = os.fstat(self._file).st_ino, 0, {}

    def _apply(self, text: str) -> None:
        for line in text.splitlines():
            match line[1:].split(" "):
                case [thing, owner, "."] if line[0] == "+":
                    self._owners[thing] = owner
                case [thing, "."] if line[0] == "-":
                    self._owners.pop(thing, None)

    def _write(self, lines: list[str]) -> None:
        text = "".join(lines)
        if text:
            self._read_to += os.write(self._file, text.encode())
            self._apply(text)

    def _shorten(self) -> None:
        fresh = self._path.with_suffix(".new")
        fresh.write_text("".join(f"+{thing} {owner} .\n" for thing, owner in self._owners.items()))
        fresh.replace(self._path)
        self._catch_up()
