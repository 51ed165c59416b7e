"""Aggregates kept for some projects."""

from __future__ import annotations

from nova.objects.ids import AggregateId
from nova.scheduler.columns import Rows, Test
from nova.scheduler.filters.base import Filter
from nova.scheduler.question import Question

_KEY = "filter_tenant_id"


class AggregateMultiTenancyIsolation(Filter):
    """Leaves hosts of aggregates with ``filter_tenant_id`` (any suffix) to the projects named there."""

    by_project = True

    def test(self, question: Question) -> Test | None:
        table, project = question.table, question.request.project_id

        def passes(members: tuple[AggregateId, ...]) -> bool:
            named = [v for k, v in table.metadata(members).items() if k.startswith(_KEY)]
            if not named:
                return True
            return any(project == p.strip() for texts in named for text in texts for p in text.split(","))

        return table.memberships.test(passes)

    def reason(self, question: Question, fell: Rows) -> str:
        return "they are kept for other projects"
