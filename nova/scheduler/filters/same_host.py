"""Hint ``same_host``."""

from __future__ import annotations

from nova.objects.ids import HostName, InstanceId
from nova.scheduler.columns import Rows, Test
from nova.scheduler.filters.base import Filter
from nova.scheduler.question import Question


class SameHostFilter(Filter):
    """Passes the hosts of the instances that the hint names."""

    def test(self, question: Question) -> Test | None:
        if not question.request.hints.get("same_host"):
            return None
        allowed = question.table.mask_of(hinted_hosts(question, "same_host"))
        return lambda rows: allowed[rows]

    def reason(self, question: Question, fell: Rows) -> str:
        # Users read it, and are not told the names of hosts.
        there = hinted_hosts(question, "same_host")
        return "the instances named run elsewhere" if there else "the instances named are on no host"


def hinted_hosts(question: Question, hint: str) -> set[HostName]:
    """Return the hosts of the instances that a hint names; those without a host are left out."""
    named = question.request.hints.get(hint, ())
    known = question.request.hint_hosts
    return {known[InstanceId(i)] for i in named if i in known}
