"""When a fault could be felt: only then may an answer be late, lost or ask to come again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from nova_tools.torture.faults import Inflicted


@dataclass(frozen=True)
class Window:
    """From the beginning of a fault until everything held again; monotonic seconds."""

    name: str
    began: float
    ended: float

    def touches(self, began: float, ended: float) -> bool:
        """Tell whether a span of time has a moment in common with this one."""
        return began <= self.ended and ended >= self.began


class Windows:
    """The windows of all faults of a torture."""

    def __init__(self, faults: Iterable[Inflicted], settle_s: float) -> None:
        """``settle_s``: no window is open for longer than this after its fault is over."""
        self.all = [window_of(fault, settle_s) for fault in faults]

    def excuse(self, began: float, ended: float) -> bool:
        """Tell whether a fault could be felt at some time between two moments."""
        return any(window.touches(began, ended) for window in self.all)


def window_of(fault: Inflicted, settle_s: float) -> Window:
    """Return when a fault could be felt."""
    felt = settle_s if fault.healed_s is None else min(settle_s, fault.healed_s)
    return Window(fault.name, fault.began, fault.over + felt)
