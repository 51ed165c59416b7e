"""The fake world on disk: what outlives a process, also one that was killed.

Folder layout::

    hosts/<host>.journal   one JSON line a change; the last line about a guest is the truth
    claims.log             who holds what: refuses double use between processes
    destroyed.log          guests taken away, with the reason
    violations.log         what should never have been asked for

Lines are short and written by one ``write`` each, so a kill loses at most the last one (and a torn last line
is ignored).
"""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterable, Sequence

import msgspec

from nova.objects.ids import HostName
from nova.virt.fake.books import Books, Destroyed, HeldGuest
from nova.virt.fake.claims import Claims

_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
_GONE = b"-"
_encode = msgspec.json.Encoder().encode
_decode_guest = msgspec.json.Decoder(HeldGuest).decode
_decode_destroyed = msgspec.json.Decoder(Destroyed).decode


class WorldStore:
    """The folder of a world; several processes may share it, each with hosts of its own."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder
        self._hosts = folder / "hosts"
        self._hosts.mkdir(parents=True, exist_ok=True)
        self._claims = Claims(folder)
        self._written: dict[HostName, int] = {}

    def load(self, host: HostName) -> list[HeldGuest]:
        """Return a host's guests and shorten its journal to them."""
        guests = list(_read_journal(self._journal(host)))
        if self._journal(host).exists():
            self.rewrite(host, guests)
        return guests

    def rewrite(self, host: HostName, guests: Iterable[HeldGuest]) -> None:
        """Shorten a host's journal to its guests."""
        path = self._journal(host)
        fresh = path.with_suffix(".new")
        fresh.write_bytes(b"".join(_encode(g) + b"\n" for g in guests))
        fresh.rename(path)
        self._written[host] = 0

    def is_long(self, host: HostName, guests: int) -> bool:
        """Tell whether a host's journal is worth shortening."""
        return self._written.get(host, 0) > 1000 + 4 * guests

    def write(self, guest: HeldGuest) -> None:
        """Keep what a guest is now."""
        self._append(self._journal(guest.host), _encode(guest))
        self._written[guest.host] = self._written.get(guest.host, 0) + 1

    def remove(self, guest: HeldGuest, reason: str) -> None:
        """Keep that a guest is gone, and why."""
        self._append(self._journal(guest.host), _GONE + guest.id.encode())
        self._written[guest.host] = self._written.get(guest.host, 0) + 1
        destroyed = Destroyed(id=guest.id, host=guest.host, reason=reason)
        self._append(self._folder / "destroyed.log", _encode(destroyed))

    def violation(self, sentence: str) -> None:
        """Keep what should never have been asked for."""
        self._append(self._folder / "violations.log", sentence.replace("\n", " ").encode())

    def violations(self) -> list[str]:
        """Return what should never have been asked for, by anybody who shares the world."""
        return [line.decode() for line in _lines(self._folder / "violations.log")]

    def destroyed(self, hosts: frozenset[HostName], most: int) -> list[Destroyed]:
        """Return the last guests of these hosts that were taken away, oldest first."""
        lines = _lines(self._folder / "destroyed.log")[-most:]
        return [gone for gone in map(_decode_destroyed, lines) if gone.host in hosts]

    def claim(self, things: Sequence[str], owner: str) -> tuple[str, str] | None:
        """Take hold of all things or of none; then return the first that somebody else has, and who."""
        return self._claims.take(things, owner)

    def release(self, things: Sequence[str]) -> None:
        """Let go of things; those not held are fine."""
        self._claims.release(things)

    def claims_of(self, hosts: frozenset[HostName]) -> list[str]:
        """Return the things that guests of these hosts hold on disk (owner ``<instance>@<host>``)."""
        held = self._claims.held()
        return [thing for thing, owner in held.items() if owner.partition("@")[2] in hosts]

    def _journal(self, host: HostName) -> pathlib.Path:
        return self._hosts / f"{host}.journal"

    @staticmethod
    def _append(path: pathlib.Path, line: bytes) -> None:
        handle = os.open(path, _APPEND, 0o644)
        try:
            os.write(handle, line + b"\n")
        finally:
            os.close(handle)


def read_books(folder: pathlib.Path) -> Books:
    """Read the books of a world from outside, whoever is running in it."""
    guests = [g for path in sorted((folder / "hosts").glob("*.journal")) for g in _read_journal(path)]
    destroyed = [_decode_destroyed(line) for line in _lines(folder / "destroyed.log")]
    violations = tuple(line.decode() for line in _lines(folder / "violations.log"))
    return Books(guests=tuple(guests), violations=violations, destroyed=tuple(destroyed))


def _read_journal(path: pathlib.Path) -> Iterable[HeldGuest]:
    found: dict[str, HeldGuest] = {}
    for line in _lines(path):
        if line.startswith(_GONE):
            found.pop(line[1:].decode(), None)
            continue
        guest = _decode_guest(line)
        found[guest.id] = guest
    return found.values()


def _lines(path: pathlib.Path) -> list[bytes]:
    """Return the whole lines of a file; what a kill tore off is no line."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    return content.split(b"\n")[:-1]
