"""More free memory."""

from __future__ import annotations

from nova.scheduler.columns import Ints, Rows
from nova.scheduler.question import Question
from nova.scheduler.weighers.base import Weigher


class RAMWeigher(Weigher):
    """Prefers hosts with more memory that is neither reserved nor used, ratio left aside."""

    multiplier = "ram_weight_multiplier"

    def weigh(self, question: Question, rows: Rows) -> Ints:
        table = question.table
        return table.ram_mb[rows] - table.reserved_ram_mb[rows] - table.used_ram_mb[rows]
