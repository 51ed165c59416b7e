"""More free CPUs."""

from __future__ import annotations

from nova.scheduler.columns import Ints, Rows
from nova.scheduler.question import Question
from nova.scheduler.weighers.base import Weigher


class CPUWeigher(Weigher):
    """Prefers hosts with more CPUs left within their ratio."""

    multiplier = "cpu_weight_multiplier"

    def weigh(self, question: Question, rows: Rows) -> Ints:
        table = question.table
        return table.free_vcpus[rows]
