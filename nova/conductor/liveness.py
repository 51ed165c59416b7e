"""Who lives?  Judged by the growth of counters on this process's own monotonic clock.

A counter (the beats of a service, of a conductor) that has not grown for longer than its bound means that its
daemon is dead or frozen.  Wall clocks, here or there, play no part.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

from nova.clock import Clock

K = TypeVar("K", bound=Hashable)


class Pulse(Generic[K]):
    """Remembers when each counter was last seen to grow."""

    def __init__(self, clock: Clock, bound_s: float) -> None:
        self._clock = clock
        self.bound_s = bound_s
        self._seen: dict[K, tuple[int, float]] = {}
        self._guard = threading.Lock()

    def observe(self, counters: Iterable[tuple[K, int]], *, whole: bool) -> None:
        """Take in counters; ``whole``: what is not among them is gone."""
        now = self._clock.monotonic()
        with self._guard:
            fresh = {}
            for key, count in counters:
                before = self._seen.get(key)
                fresh[key] = before if before is not None and before[0] == count else (count, now)
            if whole:
                self._seen = fresh
            else:
                self._seen.update(fresh)

    def is_alive(self, key: K, *, unknown: bool = False) -> bool:
        """Tell whether this counter grew within the bound; ``unknown`` for one never seen."""
        with self._guard:
            seen = self._seen.get(key)
        if seen is None:
            return unknown
        return self._clock.monotonic() - seen[1] <= self.bound_s

    def knows(self, key: K) -> bool:
        """Tell whether this counter was ever seen."""
        with self._guard:
            return key in self._seen

    def dead(self) -> list[K]:
        """Return the keys whose counters stand still."""
        now = self._clock.monotonic()
        with self._guard:
            return [key for key, (_, at) in self._seen.items() if now - at > self.bound_s]

    def forget(self, key: K) -> None:
        """Drop a counter."""
        with self._guard:
            self._seen.pop(key, None)


class Liveness:
    """The two pulses of a cloud: services by (host, binary), conductors by owner id."""

    def __init__(self, clock: Clock, *, service_down_s: float, lease_s: float) -> None:
        self.services: Pulse[tuple[str, str]] = Pulse(clock, service_down_s)
        self.conductors: Pulse[str] = Pulse(clock, lease_s)

    def judge_by(self, *, service_down_s: float, lease_s: float) -> None:
        """Judge by other bounds from now on."""
        self.services.bound_s, self.conductors.bound_s = service_down_s, lease_s

    def is_up(self, host: str | None, binary: str = "nova-compute") -> bool:
        """Tell whether a service is up; one never seen is down."""
        return host is not None and self.services.is_alive((host, binary))
