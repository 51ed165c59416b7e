"""Policy ``affinity`` of server groups."""

from __future__ import annotations

from nova.scheduler.columns import Rows, Test
from nova.scheduler.filters.base import Filter
from nova.scheduler.question import AFFINITY, Question


class ServerGroupAffinityFilter(Filter):
    """Passes only hosts that hold members of the group, once there are any."""

    def test(self, question: Question) -> Test | None:
        members = question.members
        if members is None or question.policy() != AFFINITY:
            return None
        return lambda rows: (members[rows] > 0) | (not members.any())

    def reason(self, question: Question, fell: Rows) -> str:
        # Users read it, and are not told the names of hosts.
        return "the group lives on another host"
