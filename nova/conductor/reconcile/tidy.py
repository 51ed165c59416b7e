"""Takes away what is over: console tokens past their end, answers that no copy of a call can ask for.

Small transactions, so that nobody waits; what is left is taken the next time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from nova.db import call_answers, console_tokens, owners, refusals
from nova.db.engine import Tx, again

if TYPE_CHECKING:
    from nova.conductor.world import World

BATCH = 500
"""Rows that one transaction takes away."""
BATCHES = 20
"""Transactions of one look."""
REFUSAL_AGE_S = 7_200.0
"""Calls are given up after minutes, clocks may be set by an hour; a day's refusals could be too many."""
ANSWER_AGE_S = 86_400.0
"""Calls are given up after minutes; the rest is for wall clocks that disagree or jump."""


class Tidy:
    """The body of a loop; several conductors doing it at once are harmless."""

    def __init__(self, world: World) -> None:
        self._world = world

    def look(self) -> str | None:
        """Take away what is over, as far as one look may go."""
        # Of those that ended because a clock was set, conductors that saw it still know better.
        _, leapt_s = self._world.db.read(owners.clocks)
        tokens = self._drop(lambda tx: console_tokens.expire(tx, BATCH, leapt_s))
        answers = self._drop(lambda tx: call_answers.expire(tx, ANSWER_AGE_S, BATCH))
        refused = self._drop(lambda tx: refusals.expire(tx, REFUSAL_AGE_S, BATCH))
        told = f"{tokens} console tokens, {answers} answers, {refused} refusals"
        return told if tokens or answers or refused else None

    def _drop(self, expire: Callable[[Tx], int]) -> int:
        total = 0
        for _ in range(BATCHES):
            gone = self._world.db.run(expire, settled=again)
            total += gone
            if gone < BATCH:
                break
        return total
