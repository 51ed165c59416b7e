"""What was looked up a moment ago: short-lived answers that many requests share."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import TypeVar

from nova.clock import Clock

Found = TypeVar("Found")
MOST = 512


class Recent:
    """Keeps answers for seconds at most; whoever changes a subject here forgets it at once.

    Other processes see a change when their own answers are too old.  Holds at most :data:`MOST` answers.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._answers: dict[tuple[str, Hashable], tuple[float, object]] = {}
        self._changes: dict[str, int] = {}

    def get(self, subject: str, key: Hashable, age_s: float, ask: Callable[[], Found]) -> Found:
        """Return the answer for a key if it is younger than ``age_s``, else ask and keep it."""
        now = self._clock.monotonic()
        place = (subject, key)
        with self._lock:
            known = self._answers.get(place)
            change = self._changes.get(subject, 0)
        if known is not None and now - known[0] < age_s:
            return known[1]  # type: ignore[return-value]
        found = ask()
        with self._lock:
            # An answer that was on its way while the subject changed may be the old one.
            if self._changes.get(subject, 0) == change:
                if len(self._answers) >= MOST:
                    self._answers.clear()
                self._answers[place] = (now, found)
        return found

    def forget(self, subject: str) -> None:
        """Drop all answers about a subject, because it was changed here."""
        with self._lock:
            self._changes[subject] = self._changes.get(subject, 0) + 1
            for place in [place for place in self._answers if place[0] == subject]:
                del self._answers[place]
