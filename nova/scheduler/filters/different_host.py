"""Hint ``different_host``."""

from __future__ import annotations

from nova.scheduler.columns import Rows, Test
from nova.scheduler.filters.base import Filter
from nova.scheduler.filters.same_host import hinted_hosts
from nova.scheduler.question import Question


class DifferentHostFilter(Filter):
    """Leaves out the hosts of the instances that the hint names."""

    def test(self, question: Question) -> Test | None:
        hosts = hinted_hosts(question, "different_host")
        if not hosts:
            return None
        allowed = ~question.table.mask_of(hosts)
        return lambda rows: allowed[rows]

    def reason(self, question: Question, fell: Rows) -> str:
        return "instances to stay away from run there"
