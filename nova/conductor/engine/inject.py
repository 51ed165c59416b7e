"""Where tests make the engine fail: named points, each passed with the runs at hand.

In production nobody listens and a point costs one attribute look-up.  A listener may raise, sleep, or kill
the process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

Listener = Callable[[str, str, str, list[str]], None]
"""Called with point, workflow kind, step name and the instances' ids."""

BEFORE_ASK = "before_ask"
AFTER_ASK = "after_ask"
BEFORE_DO = "before_do"
AFTER_DO = "after_do"
BEFORE_COMMIT = "before_commit"
AFTER_COMMIT = "after_commit"
BEFORE_SEND = "before_send"
AFTER_SEND = "after_send"
BEFORE_SETTLE = "before_settle"
AFTER_SETTLE = "after_settle"
BEFORE_UNDO = "before_undo"
AFTER_UNDO = "after_undo"
BEFORE_UNDO_SEND = "before_undo_send"
AFTER_UNDO_SEND = "after_undo_send"
BEFORE_UNDONE = "before_undone"
AFTER_UNDONE = "after_undone"


class Points:
    """The points of one engine."""

    def __init__(self) -> None:
        self.listener: Listener | None = None

    def __call__(self, point: str, kind: str, step: str, instances: Iterable[str]) -> None:
        """Pass a point."""
        if self.listener is not None:
            self.listener(point, kind, step, list(instances))


class Crash(BaseException):
    """Raised by tests at a point: the engine drops everything in its hands, as a killed process would."""
