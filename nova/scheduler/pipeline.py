"""Placing: a function of table, requests, options and a random source; no clock, no I/O."""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from nova.conf.scheduler import SchedulerOptions
from nova.objects.explanation import Explanation, FilterVerdict, WeighedHost
from nova.objects.ids import GroupId, HostName
from nova.objects.placement import Decision, HostChoice, PlacementRequest
from nova.scheduler.filters.base import Filter
from nova.scheduler.filters.named_host import ForcedHost, RequestedHost
from nova.scheduler.host_table import HostTable
from nova.scheduler.question import Question
from nova.scheduler.registry import load_filters, load_weighers
from nova.scheduler.search import Search

_KEPT = 8
_RUNNERS_UP = 2
_MOST_ALTERNATES = 64

_encode = msgspec.msgpack.Encoder().encode


class Taken(NamedTuple):
    """One instance counted against a row."""

    question: Question
    row: int


def place(
    table: HostTable, requests: Sequence[PlacementRequest], options: SchedulerOptions, source: random.Random
) -> list[Decision]:
    """Decide where the instances of these requests go, each decision seeing the earlier ones.

    All or nothing for each request.  The table is left as it was.
    """
    return Placer(options).place(table, requests, source)


class Placer:
    """Filters and weighers made from options; keeps its latest searches, so that like requests cost little."""

    def __init__(self, options: SchedulerOptions) -> None:
        self.options = options
        self._filters = load_filters(options)
        self._weighers = load_weighers(options)
        self._by_project = any(f.by_project for f in self._filters)
        self._searches: OrderedDict[bytes, Search] = OrderedDict()

    def place(
        self, table: HostTable, requests: Sequence[PlacementRequest], source: random.Random
    ) -> list[Decision]:
        """Decide as :func:`place` does."""
        batch = _Batch()
        try:
            return [self._place_one(table, request, batch, source) for request in requests]
        finally:
            batch.undo(table, 0)

    def _place_one(
        self, table: HostTable, request: PlacementRequest, batch: _Batch, source: random.Random
    ) -> Decision:
        search = self._search(table, request, batch)
        begun = len(batch.taken)
        alone = len(request.instances) == 1
        attempts = self.options.max_attempts - 1
        ahead = max(attempts, _RUNNERS_UP, self.options.host_subset_size - 1) if alone else _RUNNERS_UP
        best = self._pick(search, 1 + max(ahead, self.options.host_subset_size - 1), source)
        if not best:
            return self._refuse(search, request, batch, begun)
        weighed = tuple(_weigh(search, row) for row in best[: 1 + _RUNNERS_UP])
        verdicts = search.verdicts()
        choices = [_choice(search, best[0])]
        batch.take(search.question, best[0])
        for _ in request.instances[1:]:
            row = next(iter(self._pick(search, self.options.host_subset_size, source)), None)
            if row is None:
                return self._refuse(search, request, batch, begun)
            choices.append(_choice(search, row))
            batch.take(search.question, row)
        if alone:
            others = [_choice(search, row, known=False) for row in best[1 : 1 + attempts]]
        else:
            chosen = [taken.row for taken in batch.taken[begun:]]
            wanted = min(_MOST_ALTERNATES, attempts * len(chosen))
            others = [_choice(search, row) for row in search.best(wanted, source, chosen)] if wanted else []
        return Decision(
            id=request.id,
            choices=tuple(choices),
            alternates=tuple(others),
            explanation=Explanation(
                considered=len(table), filters=verdicts, best=weighed, chosen=choices[0].host
            ),
        )
