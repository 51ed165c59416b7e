"""Policy ``anti-affinity`` of server groups."""

from __future__ import annotations

from nova.scheduler.columns import Rows, Test
from nova.scheduler.filters.base import Filter
from nova.scheduler.question import ANTI_AFFINITY, Question


class ServerGroupAntiAffinityFilter(Filter):
    """Passes hosts with fewer members of the group than its rule ``max_server_per_host``."""

    def test(self, question: Question) -> Test | None:
        group, members = question.request.group, question.members
        if group is None or members is None or group.policy != ANTI_AFFINITY:
            return None
        most = group.max_per_host
        return lambda rows: members[rows] < most

    def reason(self, question: Question, fell: Rows) -> str:
        most = question.request.group.max_per_host if question.request.group else 1
        return "they hold members of the group" + (f", {most} a host are allowed" if most > 1 else "")
