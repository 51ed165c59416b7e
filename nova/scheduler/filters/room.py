"""What the CPU, RAM and disk filters share: used plus asked must stay below a limit."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from nova.scheduler.columns import Ints, Mask, Rows, Test
from nova.scheduler.filters.base import Filter
from nova.scheduler.host_table import HostTable
from nova.scheduler.question import Question

Unit = Literal["vcpus", "ram_mb", "disk_gb"]


class RoomFilter(Filter):
    """Passes hosts with room left within their ratio, as the conductor's claim will judge again.

    An instance never fits a host that is smaller than itself, whatever the ratio.
    """

    unit: ClassVar[Unit]
    label: ClassVar[str]

    def asked(self, question: Question) -> int:
        return int(getattr(question.load, self.unit))

    def free(self, table: HostTable, rows: Rows) -> Ints:
        column: Ints = getattr(table, f"free_{self.unit}")
        return column[rows]

    def test(self, question: Question) -> Test | None:
        table, asked = question.table, self.asked(question)
        if not asked:
            return None

        def passes(rows: Rows) -> Mask:
            total: Ints = getattr(table, self.unit)
            mask: Mask = (self.free(table, rows) >= asked) & (total[rows] >= asked)
            return mask

        return passes

    def reason(self, question: Question, fell: Rows) -> str:
        table, asked = question.table, self.asked(question)
        total: Ints = getattr(table, self.unit)
        best = int(self.free(table, fell).max())
        if best >= asked:
            return f"the largest of them has {int(total[fell].max())} {self.label} in all, {asked} were asked"
        return f"the freest of them has {max(best, 0)} {self.label} left, {asked} were asked"


class AggregateRoomFilter(RoomFilter):
    """The same with the ratio that the host's aggregates name, the least of several.

    The conductor's claim knows only the host's own ratio, so an aggregate can make it stricter, not laxer.
    """

    key: ClassVar[str]

    def free(self, table: HostTable, rows: Rows) -> Ints:
        ratios = table.memberships.spread(
            lambda members: least_number(table.metadata(members).get(self.key))
        )(rows)
        total: Ints = getattr(table, self.unit)
        reserved: Ints = getattr(table, f"reserved_{self.unit}")
        used: Ints = getattr(table, f"used_{self.unit}")
        own = super().free(table, rows)
        left = np.maximum(total[rows] - reserved[rows], 0)
        limit = np.where(np.isinf(ratios), 0, np.floor(left * np.where(np.isinf(ratios), 0, ratios)))
        return np.where(np.isinf(ratios), own, limit.astype(np.int64) - used[rows])


def least_number(values: set[str] | None) -> float:
    """Return the least number among these, infinity when none of them is one."""
    found = [float("inf")]
    for value in values or ():
        try:
            found.append(float(value))
        except ValueError:
            continue
    return min(found)
