"""Tokens from a file: a cloud without Keystone.

The file is JSON: ``{"tokens": {"<token>": {"user_id": ..., "project_id": ..., "roles": [...]}}}``; a token
may be written as ``sha256:<hex>`` of itself, so that the file holds no secrets.  It is read again when it
changes.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from nova.clock import Clock
from nova.errors.http import IdentityUnavailable, Unauthorized
from nova.identity.principal import Credentials, Principal
from nova.identity.roles import with_implied

_LOOK_SECONDS = 2.0


class StaticEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Whom one token stands for."""

    user_id: str
    project_id: str
    roles: tuple[str, ...] = ("member",)
    user_name: str = ""
    project_name: str = ""


class StaticFile(msgspec.Struct, frozen=True, kw_only=True):
    """The tokens file."""

    tokens: dict[str, StaticEntry] = {}


class StaticIdentity:
    """Looks tokens up in a file."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._look_again = 0.0
        self._stamp: tuple[int, int] | None = None
        self._principals: dict[str, Principal] = {}

    def authenticate(self, shown: Credentials) -> Principal:
        if self._clock.monotonic() >= self._look_again:
            self._read()
        if not shown.token:
            raise Unauthorized(challenge="Static")
        digest = hashlib.sha256(shown.token.encode()).hexdigest()
        found = self._principals.get(digest)
        if found is None:
            raise Unauthorized(challenge="Static")
        return found

    def _read(self) -> None:
        """Read the file if it changed since the last look."""
        try:
            facts = self._path.stat()
            stamp = (facts.st_mtime_ns, facts.st_size)
            if stamp != self._stamp:
                known = msgspec.json.decode(self._path.read_bytes(), type=StaticFile)
                self._principals = {
                    _digest(token): _principal(entry) for token, entry in known.tokens.items()
                }
                self._stamp = stamp
        except (OSError, msgspec.DecodeError) as error:
            # A broken edit must not lock out everybody who is known already.
            if not self._principals:
                raise IdentityUnavailable() from error
        self._look_again = self._clock.monotonic() + _LOOK_SECONDS


def _digest(token: str) -> str:
    if token.startswith("sha256:"):
        return token.removeprefix("sha256:").lower()
    return hashlib.sha256(token.encode()).hexdigest()


def _principal(entry: StaticEntry) -> Principal:
    return Principal(
        user_id=entry.user_id,
        project_id=entry.project_id,
        roles=with_implied(entry.roles),
        user_name=entry.user_name or entry.user_id,
        project_name=entry.project_name or entry.project_id,
    )
