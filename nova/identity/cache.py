"""Believes a validated token for a bounded time: Keystone is asked once a minute, not once a request."""

from __future__ import annotations

import hashlib
import threading
from typing import NamedTuple, Protocol

from nova.clock import Clock
from nova.conf.identity import IdentityConf
from nova.identity.principal import Credentials, Principal

_STRIPES = 64


class Proof(NamedTuple):
    """A principal, and how many seconds its token is still good for (0: do not remember)."""

    principal: Principal
    good_for_s: float


class Prover(Protocol):
    """Proves credentials afresh."""

    def prove(self, shown: Credentials) -> Proof:
        """Ask the identity service.  Raises what :meth:`Identity.authenticate` does."""
        ...


class CachedIdentity:
    """An :class:`Identity` that remembers proofs, keyed by a hash of the tokens.

    A proof is forgotten after ``token_cache_seconds`` or when its token expires, whichever comes first.
    Requests that show the same unknown token at once lead to one question.
    """

    def __init__(self, prover: Prover, conf: IdentityConf, clock: Clock) -> None:
        self._prover = prover
        self._conf = conf
        self._clock = clock
        self._known: dict[bytes, tuple[Principal, float]] = {}
        self._locks = tuple(threading.Lock() for _ in range(_STRIPES))

    def authenticate(self, shown: Credentials) -> Principal:
        key = hashlib.sha256(f"{shown.token}\n{shown.service_token}".encode()).digest()
        found = self._known.get(key)
        if found is not None and self._clock.monotonic() < found[1]:
            return found[0]
        with self._locks[key[0] % _STRIPES]:
            found = self._known.get(key)
            if found is not None and self._clock.monotonic() < found[1]:
                return found[0]
            return self._prove(key, shown)

    def _prove(self, key: bytes, shown: Credentials) -> Principal:
        self._known.pop(key, None)
        proof = self._prover.prove(shown)
        lasts = min(proof.good_for_s, self._conf.token_cache_seconds)
        if lasts > 0:
            if len(self._known) >= self._conf.token_cache_size:
                self._make_room()
            self._known[key] = (proof.principal, self._clock.monotonic() + lasts)
        return proof.principal

    def _make_room(self) -> None:
        now = self._clock.monotonic()
        alive = {key: entry for key, entry in list(self._known.items()) if entry[1] > now}
        self._known = alive if len(alive) < self._conf.token_cache_size else {}
