"""A bounded memory of recent calls, so that a call which comes twice is done once."""

from __future__ import annotations

import threading
from collections import OrderedDict

from nova.rpc.transport import Incoming


class Doubles:
    """Remembers the answers of the last calls by call id.

    Bounded by number and bytes: an answer above ``max_answer`` bytes is not kept (calls that change something
    answer with little), so its double is done again.
    """

    def __init__(self, size: int = 2000, max_answer: int = 65536) -> None:
        self._size = size
        self._max_answer = max_answer
        self._lock = threading.Lock()
        self._running: dict[str, list[Incoming]] = {}
        self._answers: OrderedDict[str, bytes] = OrderedDict()

    def begin(self, call_id: str, incoming: Incoming) -> bool:
        """Tell whether the call is new; if not, ``incoming`` gets (or will get) the answer of the first."""
        with self._lock:
            answer = self._answers.get(call_id)
            if answer is None:
                waiting = self._running.get(call_id)
                if waiting is None:
                    self._running[call_id] = []
                    return True
                waiting.append(incoming)
                return False
        incoming.reply(answer)
        return False

    def end(self, call_id: str, answer: bytes) -> None:
        """Remember the answer and give it to all that came meanwhile."""
        with self._lock:
            waiting = self._running.pop(call_id, ())
            if len(answer) <= self._max_answer:
                self._answers[call_id] = answer
                if len(self._answers) > self._size:
                    self._answers.popitem(last=False)
        for incoming in waiting:
            incoming.reply(answer)
