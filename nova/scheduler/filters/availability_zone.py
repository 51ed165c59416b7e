"""The availability zone that was asked for."""

from __future__ import annotations

from nova.scheduler.columns import Rows, Test
from nova.scheduler.filters.base import Filter, words
from nova.scheduler.question import Question


class AvailabilityZoneFilter(Filter):
    """Passes hosts of the requested zone (several may be given, separated by commas)."""

    def test(self, question: Question) -> Test | None:
        zones = _asked(question)
        return question.table.zone.test(zones.__contains__) if zones else None

    def reason(self, question: Question, fell: Rows) -> str:
        zone = question.table.zone
        there = {zone.values[i] for i in set(zone.numbers[fell].tolist())}
        return f"they are in zone {words(there)}, {words(_asked(question))} was asked"


def _asked(question: Question) -> set[str]:
    return {z.strip() for z in (question.request.zone or "").split(",") if z.strip()}
