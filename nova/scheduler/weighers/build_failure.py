"""Hosts that built well."""

from __future__ import annotations

from nova.scheduler.columns import Ints, Rows
from nova.scheduler.question import Question
from nova.scheduler.weighers.base import Weigher


class BuildFailureWeigher(Weigher):
    """Prefers hosts with fewer builds that failed of late."""

    multiplier = "build_failure_weight_multiplier"

    def weigh(self, question: Question, rows: Rows) -> Ints:
        table = question.table
        return -table.failed_builds[rows]
