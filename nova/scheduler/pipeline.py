"""Placing: a function of table, requests, options and a random source; no clock, no I/O."""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Sequence

import msgspec

from nova.conf.scheduler import SchedulerOptions
from nova.objects.explanation import Explanation, WeighedHost
from nova.objects.ids import ProjectId
from nova.objects.placement import Decision, HostChoice, PlacementRequest
from nova.scheduler.batch import Batch
from nova.scheduler.filters.base import Filter
from nova.scheduler.filters.named_host import ForcedHost, RequestedHost
from nova.scheduler.host_table import HostTable
from nova.scheduler.question import Question
from nova.scheduler.registry import load_filters, load_weighers
from nova.scheduler.search import Search

_KEPT = 8
"""Kinds of requests whose searches are kept."""
_RUNNERS_UP = 2
_MOST_ALTERNATES = 64

_encode = msgspec.msgpack.Encoder().encode


def place(
    table: HostTable, requests: Sequence[PlacementRequest], options: SchedulerOptions, source: random.Random
) -> list[Decision]:
    """Decide where the instances of these requests go, each decision seeing the earlier ones.

    All or nothing for each request.  The table is left as it was.
    """
    return Placer(options).place(table, requests, source)


class Placer:
    """Filters and weighers made from options; keeps its latest searches, so that like requests cost little.

    Not safe between threads, like the table it works on.
    """

    def __init__(self, options: SchedulerOptions) -> None:
        self.options = options
        self._filters = load_filters(options)
        self._weighers = load_weighers(options)
        self._forced = ForcedHost(options)
        self._requested = RequestedHost(options)
        self._by_project = any(f.by_project for f in self._filters)
        self._searches: OrderedDict[bytes, Search] = OrderedDict()

    def place(
        self, table: HostTable, requests: Sequence[PlacementRequest], source: random.Random
    ) -> list[Decision]:
        """Decide as :func:`place` does."""
        batch = Batch(table)
        try:
            return [self._place_one(request, batch, source) for request in requests]
        finally:
            batch.undo()

    def _place_one(self, request: PlacementRequest, batch: Batch, source: random.Random) -> Decision:
        search = self._search(request, batch)
        begun, wanted = len(batch.taken), len(request.instances) or 1
        # Who forces a host wants that one or none.
        spare = 0 if _is_forced(request) else self.options.max_attempts - 1
        leaders = search.best(1 + max(_RUNNERS_UP, spare if wanted == 1 else 0), source)
        best = tuple(_weigh(search, row) for row in leaders[: 1 + _RUNNERS_UP])
        verdicts = search.verdicts()
        choices: list[HostChoice] = []
        for _ in range(wanted):
            row = leaders[0] if leaders and self._takes_leader(choices) else self._draw(search, source)
            if row is None:
                verdicts = search.reasons(len(choices))
                batch.undo(begun)
                return Decision(
                    id=request.id, explanation=Explanation(considered=len(batch.table), filters=verdicts)
                )
            choices.append(_choice(search, row))
            batch.take(search.question, row)
        chosen = {taken.row for taken in batch.taken[begun:]}
        if wanted == 1:
            rest = [row for row in leaders if row not in chosen][:spare]
        else:
            rest = search.best(min(_MOST_ALTERNATES, spare * wanted), source, [*chosen])
        return Decision(
            id=request.id,
            choices=tuple(choices),
            alternates=tuple(_choice(search, row) for row in rest),
            explanation=Explanation(
                considered=len(batch.table), filters=verdicts, best=best, chosen=choices[0].host
            ),
        )

    def _takes_leader(self, choices: Sequence[HostChoice]) -> bool:
        return not choices and self.options.host_subset_size == 1

    def _draw(self, search: Search, source: random.Random) -> int | None:
        """Return one of the best rows; none when no row passes."""
        found = search.best(self.options.host_subset_size, source)
        return source.choice(found) if found else None

    def _search(self, request: PlacementRequest, batch: Batch) -> Search:
        """Return the search of requests like this one, a kept one if it is still true."""
        project = request.project_id if self._by_project else ProjectId("")
        key = _encode(msgspec.structs.replace(request, id="", instances=(), project_id=project))
        search = self._searches.pop(key, None)
        if search is None or not search.valid_for(batch.table):
            question = Question(batch.table, request)
            batch.meet(question)
            search = Search(question, self._filters_for(request), self._weighers, self.options)
        else:
            batch.meet(search.question)
        self._searches[key] = search
        if len(self._searches) > _KEPT:
            self._searches.popitem(last=False)
        return search

    def _filters_for(self, request: PlacementRequest) -> list[Filter]:
        if _is_forced(request):
            return [self._forced]
        if request.requested_host is not None or request.requested_node is not None:
            return [self._requested, *self._filters]
        return self._filters


def _is_forced(request: PlacementRequest) -> bool:
    return request.forced_host is not None or request.forced_node is not None


def _choice(search: Search, row: int) -> HostChoice:
    table = search.question.table
    return HostChoice(
        host=table.hosts[row],
        node=table.nodes[row],
        zone=table.zone.at(row),
        generation=int(table.generation[row]),
        weight=round(search.ranking.score(row), 6),
    )


def _weigh(search: Search, row: int) -> WeighedHost:
    ranking = search.ranking
    return WeighedHost(
        host=search.question.table.hosts[row], score=round(ranking.score(row), 6), parts=ranking.parts(row)
    )
