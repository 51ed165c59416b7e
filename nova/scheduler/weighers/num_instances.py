"""Fewer or more instances."""

from __future__ import annotations

from nova.scheduler.columns import Ints, Rows
from nova.scheduler.question import Question
from nova.scheduler.weighers.base import Weigher


class NumInstancesWeigher(Weigher):
    """Prefers hosts with more instances (packs); a negative multiplier spreads."""

    multiplier = "num_instances_weight_multiplier"

    def weigh(self, question: Question, rows: Rows) -> Ints:
        table = question.table
        return table.instances[rows]
