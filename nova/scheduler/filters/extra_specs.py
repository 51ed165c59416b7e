"""Flavors that want hosts of some aggregates."""

from __future__ import annotations

from nova.objects.ids import AggregateId
from nova.scheduler.columns import Rows, Test
from nova.scheduler.filters.base import Filter
from nova.scheduler.question import Question
from nova.scheduler.spec_match import matches

_SCOPE = "aggregate_instance_extra_specs"


class AggregateInstanceExtraSpecsFilter(Filter):
    """Passes hosts whose aggregates' metadata match every extra spec of the scope, or without any scope.

    Metadata may list several values with commas; one that matches is enough.
    """

    def test(self, question: Question) -> Test | None:
        specs = question.scoped_specs(_SCOPE, bare=True)
        if not specs:
            return None
        table = question.table

        def passes(members: tuple[AggregateId, ...]) -> bool:
            metadata = table.metadata(members)
            return all(_any_matches(metadata.get(key), wanted) for key, wanted in specs.items())

        return table.memberships.test(passes)

    def reason(self, question: Question, fell: Rows) -> str:
        specs = question.scoped_specs(_SCOPE, bare=True)
        return "no aggregate of theirs has " + " and ".join(f"{k} {v}" for k, v in sorted(specs.items()))


def _any_matches(texts: set[str] | None, wanted: str) -> bool:
    return any(matches(v.strip(), wanted) for text in texts or () for v in text.split(","))
