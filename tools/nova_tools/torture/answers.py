"""Every answer by itself: was it one that may be given at that time?"""

from __future__ import annotations

from collections.abc import Iterator

from nova_tools.torture import ledger as words
from nova_tools.torture.ledger import Entry
from nova_tools.torture.violation import Violation
from nova_tools.torture.windows import Windows

BOUNDED_WAIT_S = 10.0
"""A request must have been slow for so long before it may be told to come again; and may be no slower when
nothing is wrong."""
NOTHING_CHANGED = "Nothing was changed"
"""Words of an answer after which nothing may have been done."""


def judge_answer(entry: Entry, windows: Windows) -> Iterator[Violation]:
    """Return what is wrong with an answer, whatever came of the request."""
    excused = windows.excuse(entry.began, entry.ended)
    if entry.outcome == words.FAILED:
        yield Violation("failed", f"{entry.words()} was answered {entry.status}: {entry.told}")
    elif entry.outcome == words.UNAVAILABLE:
        yield from _unavailable(entry, excused=excused)
    elif not excused:
        if entry.outcome == words.LOST:
            yield Violation("lost", f"{entry.words()} was not answered, and nothing was wrong")
        elif entry.seconds > BOUNDED_WAIT_S:
            told = f"{entry.words()} was answered {entry.status} after {entry.seconds:.1f} s"
            yield Violation("slow", f"{told}, and nothing was wrong")


def _unavailable(entry: Entry, *, excused: bool) -> Iterator[Violation]:
    told = f"{entry.words()} was answered 503 after {entry.seconds:.1f} s"
    if entry.seconds < BOUNDED_WAIT_S:
        yield Violation("failed, not slow", f"{told}: {entry.told}")
    if entry.retry_after is None:
        yield Violation("failed, not slow", f"{told} without Retry-After: {entry.told}")
    if not excused:
        yield Violation("failed", f"{told}, and nothing was wrong: {entry.told}")


def denies(entry: Entry) -> bool:
    """Tell whether the client was told that nothing was done."""
    if entry.outcome == words.REFUSED:
        return True
    return entry.outcome == words.UNAVAILABLE and NOTHING_CHANGED in entry.told
