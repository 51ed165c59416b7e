"""What the filters with a limit on a count of a host share."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from nova.scheduler.columns import Floats, Ints, Rows, Test
from nova.scheduler.filters.base import Filter
from nova.scheduler.filters.room import least_number
from nova.scheduler.question import Question


class CountFilter(Filter):
    """Passes hosts whose count is below a limit."""

    column: ClassVar[Literal["io_ops", "instances"]]
    label: ClassVar[str]
    option: ClassVar[Literal["max_io_ops_per_host", "max_instances_per_host"]]
    from_aggregates: ClassVar[bool] = False
    """Metadata of the host's aggregates, under the option's name, overrides the option; the least wins."""

    def limits(self, question: Question, rows: Rows) -> Floats | float:
        fallback: int = getattr(self.options, self.option)
        if not self.from_aggregates:
            return fallback
        table = question.table
        named = table.memberships.spread(lambda m: least_number(table.metadata(m).get(self.option)))(rows)
        return np.where(np.isinf(named), fallback, named)

    def test(self, question: Question) -> Test | None:
        column: str = self.column
        return lambda rows: getattr(question.table, column)[rows] < self.limits(question, rows)

    def reason(self, question: Question, fell: Rows) -> str:
        counts: Ints = getattr(question.table, self.column)[fell]
        nearest = int(np.argmin(counts))
        limits = np.broadcast_to(self.limits(question, fell), counts.shape)
        return f"the least busy has {counts[nearest]} {self.label}, {int(limits[nearest])} is the limit"
