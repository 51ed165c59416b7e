"""Bounds for single guests, so that the flood of one is no drought for the others."""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Iterator

from nova.clock import Clock
from nova.errors.metadata import TooManyRequests

MOST_REMEMBERED = 20_000


class _Bucket:
    __slots__ = ("at", "in_flight", "tokens")

    def __init__(self, tokens: float, at: float) -> None:
        self.tokens = tokens
        self.at = at
        self.in_flight = 0


class Turnstile:
    """Lets a guest pass ``rate`` times a second, ``burst`` times at once, ``in_flight`` requests abreast."""

    def __init__(self, clock: Clock, *, rate: float, burst: int, in_flight: int) -> None:
        self._clock = clock
        self._rate = rate
        self._burst = burst
        self._in_flight = in_flight
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    @contextlib.contextmanager
    def passing(self, guest: str) -> Iterator[None]:
        """Count one request of a guest while it lasts; :class:`TooManyRequests` when it is one too many."""
        with self._lock:
            bucket = self._bucket(guest)
            if bucket.tokens < 1.0 or bucket.in_flight >= self._in_flight:
                raise TooManyRequests()
            bucket.tokens -= 1.0
            bucket.in_flight += 1
        try:
            yield
        finally:
            with self._lock:
                bucket.in_flight -= 1

    def _bucket(self, guest: str) -> _Bucket:
        now = self._clock.monotonic()
        bucket = self._buckets.get(guest)
        if bucket is None:
            bucket = self._buckets[guest] = _Bucket(float(self._burst), now)
            while len(self._buckets) > MOST_REMEMBERED:
                self._buckets.popitem(last=False)
            return bucket
        self._buckets.move_to_end(guest)
        bucket.tokens = min(float(self._burst), bucket.tokens + (now - bucket.at) * self._rate)
        bucket.at = now
        return bucket
