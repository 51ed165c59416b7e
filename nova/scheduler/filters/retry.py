"""Not a host that just failed."""

from __future__ import annotations

from nova.scheduler.columns import Rows, Test
from nova.scheduler.filters.base import Filter
from nova.scheduler.question import Question


class RetryFilter(Filter):
    """Leaves out the hosts that failed this request before; part of every pipeline."""

    def test(self, question: Question) -> Test | None:
        excluded = question.request.excluded
        if not excluded:
            return None
        allowed = ~question.table.mask_of(excluded)
        return lambda rows: allowed[rows]

    def reason(self, question: Question, fell: Rows) -> str:
        return "they were tried before"
