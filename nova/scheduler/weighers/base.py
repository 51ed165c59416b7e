"""What a weigher is."""

from __future__ import annotations

from typing import ClassVar

from nova.conf.scheduler import SchedulerOptions
from nova.scheduler.columns import Floats, Ints, Rows
from nova.scheduler.question import Question


class Weigher:
    """Gives hosts a number by looking at whole columns at once."""

    multiplier: ClassVar[str]
    """Name of the option, and of the aggregates' metadata, that says how much it counts."""

    def __init__(self, options: SchedulerOptions) -> None:
        self.options = options

    @property
    def name(self) -> str:
        return type(self).__name__

    def applies(self, question: Question) -> bool:
        """Tell whether the request cares at all."""
        return True

    def weigh(self, question: Question, rows: Rows) -> Floats | Ints:
        """Return the number of each row."""
        raise TypeError(f"{self.name} has no weigh")
