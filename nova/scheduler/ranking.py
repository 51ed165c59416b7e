"""The hosts that passed, and how good each is.

The raw number of every weigher is kept per host, with the least and the greatest of them: a host that changed
costs one column of work, not a whole weighing.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from nova.conf.scheduler import SchedulerOptions
from nova.objects.ids import AggregateId
from nova.scheduler.columns import ALL, Floats, Mask, Rows
from nova.scheduler.question import Question
from nova.scheduler.weighers.base import Weigher

_EQUAL = 1e-9
"""Scores this near count as equal: a host weighed alone or among all may differ in the last bits."""


class Ranking:
    """Scores of the rows that passed; the *place* of a row is its column in here."""

    def __init__(self, question: Question, weighers: Iterable[Weigher], options: SchedulerOptions) -> None:
        self._question = question
        self.weighers = [w for w in weighers if w.applies(question)]
        kinds, size = len(self.weighers), len(question.table)
        self._count = 0
        self._rows: NDArray[np.intp] = np.zeros(size, np.intp)
        self._place: NDArray[np.intp] = np.full(size, -1, np.intp)
        self._raw: Floats = np.zeros((kinds, size))
        self._scores: Floats = np.zeros(size)
        self._low = [0.0] * kinds
        self._high = [0.0] * kinds
        self._stale = True
        self._multipliers = [_multiplier(question, w, options) for w in self.weighers]

    def __len__(self) -> int:
        return self._count

    def fill(self, passed: Mask) -> None:
        """Weigh everything anew."""
        rows = np.flatnonzero(passed)
        self._count = count = len(rows)
        self._rows[:count] = rows
        self._place.fill(-1)
        self._place[rows] = np.arange(count)
        wanted: Rows = ALL if count == len(passed) else rows
        for k, weigher in enumerate(self.weighers):
            raw = self._raw[k, :count]
            raw[:] = weigher.weigh(self._question, wanted)
            if count:
                self._low[k], self._high[k] = float(raw.min()), float(raw.max())
        self._stale = True

    def update(self, row: int, passes: bool) -> None:
        """Take over that a row changed, began to pass or passes no more."""
        place = int(self._place[row])
        old: list[float] = self._raw[:, place].tolist() if place >= 0 else []
        if not passes:
            if place >= 0:
                self._drop(row, place)
                self._shrink(old)
            return
        if place < 0:
            place, self._count = self._count, self._count + 1
            self._rows[place], self._place[row] = row, place
        one = slice(row, row + 1)
        new = [float(w.weigh(self._question, one)[0]) for w in self.weighers]
        self._raw[:, place] = new
        self._shrink(old, new)
        for k, value in enumerate(new):
            if self._count == 1 or value < self._low[k]:
                self._low[k], self._stale = value, True
            if self._count == 1 or value > self._high[k]:
                self._high[k], self._stale = value, True
        if not self._stale:
            self._scores[place] = self._weights(slice(place, place + 1)).sum()

    def best(self, count: int, source: random.Random, without: Iterable[int] = ()) -> list[int]:
        """Return up to ``count`` rows, best first, equals in random order."""
        self._refresh()
        scores = self._scores[: self._count]
        skip = np.array([p for p in {int(self._place[r]) for r in without} if p >= 0], np.intp)
        hidden = [(skip, scores[skip])]
        scores[skip] = -np.inf
        count = min(count, self._count - len(skip))
        found: list[int] = []
        while len(found) < count:
            equals = np.flatnonzero(scores >= scores.max() - _EQUAL)
            hidden.append((equals, scores[equals]))
            found += equals[_draw(len(equals), count - len(found), source)].tolist()
            if len(found) < count:
                scores[equals] = -np.inf
        for places, values in reversed(hidden):
            scores[places] = values
        return [int(self._rows[place]) for place in found]

    def score(self, row: int) -> float:
        """Return the score of a row that passes."""
        self._refresh()
        return float(self._scores[self._place[row]])

    def parts(self, row: int) -> dict[str, float]:
        """Return the share of each weigher in a row's score; those that tell no hosts apart are left out."""
        place = int(self._place[row])
        values = self._weights(slice(place, place + 1))[:, 0].tolist()
        return {w.name: round(v, 6) for w, v in zip(self.weighers, values, strict=True) if v}

    def _drop(self, row: int, place: int) -> None:
        """Put the last place where this row was."""
        last = self._count - 1
        moved = int(self._rows[last])
        self._rows[place], self._place[moved] = moved, place
        self._raw[:, place] = self._raw[:, last]
        self._scores[place] = self._scores[last]
        self._place[row] = -1
        self._count = last

    def _shrink(self, old: Sequence[float], new: Sequence[float] | None = None) -> None:
        """Look again for the ends of the ranges at which a row stood that moved away."""
        for k, value in enumerate(old if self._count else ()):
            if new is not None and new[k] == value:
                continue
            if value <= self._low[k]:
                low = float(self._raw[k, : self._count].min())
                self._stale = self._stale or low != self._low[k]
                self._low[k] = low
            if value >= self._high[k]:
                high = float(self._raw[k, : self._count].max())
                self._stale = self._stale or high != self._high[k]
                self._high[k] = high

    def _refresh(self) -> None:
        if self._stale:
            self._scores[: self._count] = self._weights(slice(0, self._count)).sum(axis=0)
            self._stale = False

    def _weights(self, places: slice) -> Floats:
        """Return every weigher's share: normalised to 0..1 over all that passed, times its multiplier."""
        shares = np.zeros((len(self.weighers), places.stop - places.start))
        for k, multiplier in enumerate(self._multipliers):
            span = self._high[k] - self._low[k]
            if span > 0:
                factor = multiplier if isinstance(multiplier, float) else multiplier(self._rows[places])
                shares[k] = (self._raw[k, places] - self._low[k]) * (factor / span)
        return shares


def _draw(size: int, wanted: int, source: random.Random) -> list[int]:
    if wanted == 1:
        return [source.randrange(size)]
    return source.sample(range(size), min(wanted, size))


def _multiplier(
    question: Question, weigher: Weigher, options: SchedulerOptions
) -> float | Callable[[Rows], Floats]:
    """Return the option, or a lookup by row when aggregates override it (the least of a host's wins)."""
    key = weigher.multiplier
    default = float(getattr(options, key, 1.0))
    table = question.table
    if not any(key in a.metadata for a in table.aggregates.values()):
        return default

    def of(members: tuple[AggregateId, ...]) -> float:
        numbers = []
        for text in table.metadata(members).get(key, ()):
            try:
                numbers.append(float(text))
            except ValueError:
                continue
        return min(numbers, default=default)

    return table.memberships.spread(of)
