"""Newer hypervisors."""

from __future__ import annotations

from nova.scheduler.columns import Ints, Rows
from nova.scheduler.question import Question
from nova.scheduler.weighers.base import Weigher


class HypervisorVersionWeigher(Weigher):
    """Prefers hosts with a newer hypervisor."""

    multiplier = "hypervisor_version_weight_multiplier"

    def weigh(self, question: Question, rows: Rows) -> Ints:
        table = question.table
        return table.hypervisor_version[rows]
