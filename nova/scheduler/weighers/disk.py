"""More free disk."""

from __future__ import annotations

from nova.scheduler.columns import Ints, Rows
from nova.scheduler.question import Question
from nova.scheduler.weighers.base import Weigher


class DiskWeigher(Weigher):
    """Prefers hosts with more disk that is neither reserved nor used, ratio left aside."""

    multiplier = "disk_weight_multiplier"

    def weigh(self, question: Question, rows: Rows) -> Ints:
        table = question.table
        return table.disk_gb[rows] - table.reserved_disk_gb[rows] - table.used_disk_gb[rows]
