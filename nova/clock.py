"""Time as an object that is handed in, so that tests can stop it.

Nothing else in the tree asks the system for the time (a lint rule in ``tools/budgets.py`` checks that).
Deadlines, leases and ages use :meth:`Clock.monotonic`; what people read, and times that processes must agree
on, :meth:`Clock.now`; by how much that was set meanwhile tells :meth:`Clock.steady`, which is one's own.
"""

from __future__ import annotations

import datetime
import time


class Clock:
    """The real clock of this machine."""

    _begun: tuple[datetime.datetime, float] | None = None

    def now(self) -> datetime.datetime:
        """Return the wall-clock time, UTC, with tzinfo, cut to whole microseconds."""
        return datetime.datetime.now(datetime.UTC)

    def monotonic(self) -> float:
        """Return seconds that only ever grow; meaningless between processes."""
        return time.monotonic()

    def steady(self) -> datetime.datetime:
        """Return the wall-clock time as it would be had nobody set the clock since this was first asked."""
        if self._begun is None:
            self._begun = self.now(), self.monotonic()
        then, began = self._begun
        return then + datetime.timedelta(seconds=self.monotonic() - began)

    def sleep(self, seconds: float) -> None:
        """Let other work of this process run for so long."""
        time.sleep(seconds)


class StoppedClock(Clock):
    """A clock that moves only when told to."""

    def __init__(self, now: datetime.datetime | None = None) -> None:
        self._now = now or datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)
        self._monotonic = 1000.0

    def now(self) -> datetime.datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Move both faces of the clock."""
        self._now += datetime.timedelta(seconds=seconds)
        self._monotonic += seconds

    def jump(self, seconds: float) -> None:
        """Move the wall clock alone, as a wrong NTP server would."""
        self._now += datetime.timedelta(seconds=seconds)
