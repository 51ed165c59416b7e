"""How long doors were shut: the same cheap question at each API, all the time."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from nova_tools.torture import ledger as words
from nova_tools.torture.asking import Asker
from nova_tools.torture.http_client import Doors, user
from nova_tools.torture.ledger import Entry, Ledger, spread
from nova_tools.torture.windows import Window

PAUSE_S = 0.5

Span = tuple[float, float]
"""From one moment to another, monotonic seconds."""


class Knocker(threading.Thread):
    """Asks one door again and again."""

    def __init__(self, port: int, number: int, ledger: Ledger) -> None:
        super().__init__(name=f"knocker-{number}", daemon=True)
        self._asks = Asker(Doors([port], user("knocker", "knocker")), ledger)
        self._number = number
        self._stopping = threading.Event()
        self.waits: list[Span] = []
        """From a question until one was answered well."""

    def run(self) -> None:
        since: float | None = None
        while not self._stopping.is_set():
            entry = Entry(kind=words.KNOCK, client=self._number)
            self._asks.ask(entry, "GET", "/servers?limit=1")
            since = entry.began if since is None else since
            if entry.outcome == words.ACCEPTED:
                self.waits.append((since, entry.ended))
                since = None
            self._stopping.wait(PAUSE_S)

    def stop(self) -> None:
        """Ask no more."""
        self._stopping.set()


@dataclass
class Shut:
    """How long doors were shut after one kind of fault, in seconds."""

    one: list[float] = field(default_factory=list)
    """The longest wait at any one door, for each fault."""
    all: list[float] = field(default_factory=list)
    """The longest time in which whoever asked, at whatever door, had to wait."""


def shut_by_fault(windows: Iterable[Window], doors: Sequence[Sequence[Span]]) -> dict[str, dict[str, float]]:
    """Return for each kind of fault how long one door, and all doors, were shut: median and longest."""
    at_once = _all_at_once(doors)
    found: dict[str, Shut] = {}
    for window in windows:
        shut = found.setdefault(window.name, Shut())
        shut.one.append(max((_longest(waits, window) for waits in doors), default=0.0))
        shut.all.append(_longest(at_once, window))
    return {name: _told(shut) for name, shut in sorted(found.items())}


def both(one: Sequence[Span], other: Sequence[Span]) -> list[Span]:
    """Return the spans that lie in spans of both; each list is in order and without overlaps."""
    found, i, k = [], 0, 0
    while i < len(one) and k < len(other):
        began, ended = max(one[i][0], other[k][0]), min(one[i][1], other[k][1])
        if began < ended:
            found.append((began, ended))
        if one[i][1] < other[k][1]:
            i += 1
        else:
            k += 1
    return found


def _all_at_once(doors: Sequence[Sequence[Span]]) -> list[Span]:
    found = list(doors[0]) if doors else []
    for waits in doors[1:]:
        found = both(found, waits)
    return found


def _longest(waits: Sequence[Span], window: Window) -> float:
    return max((ended - began for began, ended in waits if window.touches(began, ended)), default=0.0)


def _told(shut: Shut) -> dict[str, float]:
    one, all_ = spread(shut.one), spread(shut.all)
    return {"one_p50": one["p50"], "one_max": one["max"], "all_p50": all_["p50"], "all_max": all_["max"]}
