"""Less busy."""

from __future__ import annotations

from nova.scheduler.columns import Ints, Rows
from nova.scheduler.question import Question
from nova.scheduler.weighers.base import Weigher


class IoOpsWeigher(Weigher):
    """Prefers, by its negative multiplier, hosts with fewer builds and the like under way."""

    multiplier = "io_ops_weight_multiplier"

    def weigh(self, question: Question, rows: Rows) -> Ints:
        table = question.table
        return table.io_ops[rows]
