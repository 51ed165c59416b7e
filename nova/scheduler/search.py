"""One kind of request on the table: which rows pass, which filter removed the others, how good they are.

A search stays true while the table changes: rows named in the table's log are judged again one by one.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nova.conf.scheduler import SchedulerOptions
from nova.objects.explanation import FilterVerdict
from nova.scheduler.columns import ALL, Rows, Test
from nova.scheduler.filters.base import Filter
from nova.scheduler.host_table import HostTable
from nova.scheduler.question import AFFINITY, Question
from nova.scheduler.ranking import Ranking
from nova.scheduler.weighers.base import Weigher

_EXAMPLES = 3
_FEW = 0.25
"""Below this share of all rows the rest is looked at by number, above it whole columns are faster."""


class Search:
    """Filters and weighers applied to one request."""

    def __init__(
        self,
        question: Question,
        filters: Sequence[Filter],
        weighers: Sequence[Weigher],
        options: SchedulerOptions,
    ) -> None:
        self.question = question
        self._table = question.table
        tests = [(f, f.test(question)) for f in filters]
        self._filters: list[tuple[Filter, Test]] = [(f, test) for f, test in tests if test is not None]
        self._passed = len(self._filters)
        self._stage: NDArray[np.int16] = np.zeros(len(self._table), np.int16)
        """Number of the filter that removed the row, or how many there are."""
        self._removed = [0] * self._passed
        self.ranking = Ranking(question, weighers, options)
        self.epoch = self._table.epoch
        self._seen = 0
        self._judge_all()

    def valid_for(self, table: HostTable) -> bool:
        """Tell whether row numbers and shared values of this table still mean the same."""
        return self._table is table and self.epoch == table.epoch

    def refresh(self) -> None:
        """Take over what changed in the table since the last time."""
        log = self._table.log
        if self.epoch != self._table.epoch:
            # Within a batch rows neither come nor go: the log was full and began anew.
            self.epoch = self._table.epoch
            self._judge_all()
            return
        if self._seen == len(log):
            return
        changed = set(log[self._seen :])
        if len(changed) > 2 + len(self._table) // 2500 or self._depends_on_all():
            self._judge_all()
            return
        self._seen = len(log)
        for row in changed:
            self._judge_one(row)

    def best(self, count: int, source: random.Random, without: Sequence[int] = ()) -> list[int]:
        """Return up to ``count`` rows that pass, best first."""
        self.refresh()
        return self.ranking.best(count, source, without)

    def verdicts(self) -> tuple[FilterVerdict, ...]:
        """Say how many hosts each filter saw and left."""
        found = []
        before = len(self._table)
        for (a_filter, _), removed in zip(self._filters, self._removed, strict=True):
            found.append(FilterVerdict(name=a_filter.name, before=before, after=before - removed))
            before -= removed
        return tuple(found)

    def reasons(self, placed: int = 0) -> tuple[FilterVerdict, ...]:
        """Say the same with reasons and examples, for those who got no host.

        ``placed`` instances of the request had hosts when the next had none: the reason that took the last
        hosts says so, because its numbers hold with those placed.
        """
        found = []
        last = max((k for k, removed in enumerate(self._removed) if removed), default=-1)
        before = len(self._table)
        for k, (a_filter, _) in enumerate(self._filters):
            fell = np.flatnonzero(self._stage == k)
            after = before - len(fell)
            reason = a_filter.reason(self.question, fell) if len(fell) else ""
            if placed and k == last:
                reason = f"with {placed} of the instances placed, {reason}"
            found.append(
                FilterVerdict(
                    name=a_filter.name,
                    before=before,
                    after=after,
                    reason=reason,
                    examples=tuple(self._table.hosts[i] for i in fell[:_EXAMPLES]),
                )
            )
            before = after
        return tuple(found)

    def _depends_on_all(self) -> bool:
        # The first member of an affinity group bars all other hosts.
        return self.question.policy() == AFFINITY

    def _judge_all(self) -> None:
        self._seen = len(self._table.log)
        self._stage.fill(self._passed)
        rows: Rows = ALL
        left = np.ones(len(self._table), np.bool_)
        before = len(left)
        for k, (_, test) in enumerate(self._filters):
            passes = test(rows)
            if isinstance(rows, slice):
                fell = left & ~passes
                left &= passes
                self._stage[fell] = k
                after = int(np.count_nonzero(left))
                if after < before and after < _FEW * len(left):
                    rows = np.flatnonzero(left)
            else:
                self._stage[rows[~passes]] = k
                rows = rows[passes]
                after = len(rows)
            self._removed[k] = before - after
            before = after
        self.ranking.fill(self._stage == self._passed)

    def _judge_one(self, row: int) -> None:
        one = slice(row, row + 1)
        stage = next((k for k, (_, test) in enumerate(self._filters) if not test(one)[0]), self._passed)
        old = int(self._stage[row])
        if stage != old:
            self._stage[row] = stage
            if old < self._passed:
                self._removed[old] -= 1
            if stage < self._passed:
                self._removed[stage] += 1
        self.ranking.update(row, stage == self._passed)
