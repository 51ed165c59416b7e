"""Time as an object that is handed in, so that tests can stop it.

Nothing else in the tree asks the system for the time (a lint rule in ``tools/budgets.py`` checks that).
Deadlines, leases and ages use :meth:`Clock.monotonic`; what people read, and times that processes must agree
on, :meth:`Clock.now`.  How long ago one was, though the clock was set since: :meth:`Clock.age_s`.
"""

from __future__ import annotations

import datetime
import time
from typing import NamedTuple

_SET_S = 1.0
"""What moves the wall clock by less between two looks is not a clock that was set."""
_LEEWAY_S = 5.0
"""How far clocks of other machines may be off, and how late it may be noticed that one was set."""
_MOST = 64


class _Stretch(NamedTuple):
    """A time in which nobody set the wall clock; it lasts until the next one begins."""

    wall: datetime.datetime
    monotonic: float

    def into_s(self, then: datetime.datetime) -> float:
        return (then - self.wall).total_seconds()


class Clock:
    """The real clock of this machine."""

    _stretches: tuple[_Stretch, ...] = ()

    def now(self) -> datetime.datetime:
        """Return the wall-clock time, UTC, with tzinfo, cut to whole microseconds."""
        return datetime.datetime.now(datetime.UTC)

    def monotonic(self) -> float:
        """Return seconds that only ever grow; meaningless between processes."""
        return time.monotonic()

    def look(self) -> None:
        """Notice whether the wall clock was set since the last look; done each second or so."""
        now, at = self.now(), self.monotonic()
        last = self._stretches[-1] if self._stretches else None
        if last is None or abs(last.into_s(now) - (at - last.monotonic)) > _SET_S:
            self._stretches = (*self._stretches[1 - _MOST :], _Stretch(now, at))

    def age_s(self, then: datetime.datetime) -> float:
        """Return how long ago a time of the wall clock was, by whatever that was set since.

        Negative: it is to come.  Right as far as this object looked meanwhile.  What the clock showed twice
        is taken for the later time.
        """
        self.look()
        stretches, at = self._stretches, self.monotonic()
        newest, oldest = stretches[-1], stretches[0]
        end = at
        for stretch in reversed(stretches):
            into_s = stretch.into_s(then)
            if -_LEEWAY_S <= into_s <= end - stretch.monotonic + _LEEWAY_S:
                return at - stretch.monotonic - into_s
            end = stretch.monotonic
        nearest = oldest if then < oldest.wall else newest
        return at - nearest.monotonic - nearest.into_s(then)

    def set_by_s(self) -> float:
        """Return by how much the wall clock was set meanwhile, forth and back, at most."""
        self.look()
        first = self._stretches[0]
        off = [s.into_s(first.wall) + s.monotonic - first.monotonic for s in self._stretches]
        return max(off) - min(off)

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
