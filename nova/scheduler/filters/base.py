"""What a filter is."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from nova.conf.scheduler import SchedulerOptions
from nova.objects.host import HostView
from nova.objects.placement import PlacementRequest
from nova.scheduler.columns import Mask, Rows, Test
from nova.scheduler.question import Question


class Filter:
    """Narrows the hosts by looking at whole columns at once."""

    by_project: ClassVar[bool] = False
    """The answer depends on who asks, so requests of two projects cannot share it."""

    def __init__(self, options: SchedulerOptions) -> None:
        self.options = options

    @property
    def name(self) -> str:
        return type(self).__name__

    def test(self, question: Question) -> Test | None:
        """Return the test of rows; none when the request asks nothing of this filter.

        The test is kept and called again for rows that changed: it reads the columns when it is called.
        """
        raise TypeError(f"{self.name} has no test")

    def reason(self, question: Question, fell: Rows) -> str:
        """Say, of these rows that fell out (never none), how near the nearest came; ``""`` if unknown."""
        return ""


class HostFilter(Filter):
    """A filter of third parties that judges one host at a time."""

    by_project = True

    def host_passes(self, host: HostView, request: PlacementRequest) -> bool:
        raise TypeError(f"{self.name} has no host_passes")

    def test(self, question: Question) -> Test | None:
        table, request = question.table, question.request

        def passes(rows: Rows) -> Mask:
            numbers = np.arange(len(table))[rows]
            verdicts = (self.host_passes(table.view(int(row)), request) for row in numbers)
            return np.fromiter(verdicts, np.bool_, len(numbers))

        return passes


def words(items: object) -> str:
    """Join for a sentence, sorted: ``a, b or c``."""
    texts = (
        sorted(str(i) for i in items) if isinstance(items, set | frozenset | list | tuple) else [str(items)]
    )
    return texts[0] if len(texts) == 1 else ", ".join(texts[:-1]) + " or " + texts[-1]
