"""Alive and enabled."""

from __future__ import annotations

import numpy as np

from nova.scheduler.columns import Rows, Test
from nova.scheduler.filters.base import Filter
from nova.scheduler.question import Question


class ComputeFilter(Filter):
    """Passes hosts whose service is up and not disabled."""

    def test(self, question: Question) -> Test | None:
        table = question.table
        return lambda rows: table.usable[rows]

    def reason(self, question: Question, fell: Rows) -> str:
        table = question.table
        down = int(np.count_nonzero(~table.up[fell]))
        disabled = int(np.count_nonzero(table.up[fell] & ~table.enabled[fell]))
        parts = [f"{n} {word}" for n, word in ((down, "down"), (disabled, "disabled")) if n]
        return "of their compute services " + " and ".join(parts)
