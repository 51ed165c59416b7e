"""Aggregates kept for some flavors."""

from __future__ import annotations

from nova.objects.ids import AggregateId
from nova.scheduler.columns import Rows, Test
from nova.scheduler.filters.base import Filter
from nova.scheduler.question import Question


class AggregateTypeAffinityFilter(Filter):
    """Leaves hosts of aggregates with ``instance_type`` to the flavors named there."""

    def test(self, question: Question) -> Test | None:
        table, name = question.table, question.request.flavor.name

        def passes(members: tuple[AggregateId, ...]) -> bool:
            texts = table.metadata(members).get("instance_type", set())
            return not texts or any(name == n.strip() for text in texts for n in text.split(","))

        return table.memberships.test(passes)

    def reason(self, question: Question, fell: Rows) -> str:
        return f"their aggregates are for flavors other than {question.request.flavor.name}"
