"""Answers on their way: sent without waiting, and again while the queue of the caller is on its way back."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading

from nova.clock import Clock
from nova.rpc.rabbit.link import Link
from nova.rpc.transport import TransportError

_LOG = logging.getLogger(__name__)

_LEAST_S, _MOST_S = 20.0, 120.0
"""An answer is sent again as long as its caller waits for it, within these bounds."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 2.0


class Answer:
    """One answer and what is left of its time."""

    __slots__ = ("_answers", "body", "give_up", "method", "patience_s", "pause", "props")

    def __init__(self, answers: Answers, method: bytes, props: bytes, body: bytes, patience_s: float) -> None:
        self._answers = answers
        self.method = method
        self.props = props
        self.body = body
        self.pause = _FIRST_PAUSE_S
        self.patience_s = min(_MOST_S, max(_LEAST_S, patience_s))
        self.give_up = 0.0

    def confirmed(self) -> None:
        """The broker has it."""

    def failed(self, reason: str) -> None:
        self._answers.later(self, reason)

    lost = failed


class Answers:
    """Sends answers; one thread sends again, while there is anything to."""

    def __init__(self, link: Link, clock: Clock) -> None:
        self.link = link
        """Where answers are sent; another one may take its place."""
        self._clock = clock
        self._changed = threading.Condition()
        self._waiting: list[tuple[float, int, Answer]] = []
        self._numbers = itertools.count()
        self._working = False
        self._closed = False

    def send(self, answer: Answer) -> None:
        """Send; never raises."""
        try:
            self.link.publish(answer.method, answer.props, answer.body, answer)
        except TransportError as error:
            self.later(answer, str(error))

    def later(self, answer: Answer, reason: str) -> None:
        """Send again after a pause, unless it has been tried long enough."""
        now = self._clock.monotonic()
        if not answer.give_up:
            answer.give_up = now + answer.patience_s
        if now >= answer.give_up or self._closed:
            _LOG.warning("an answer could not be sent: %s", reason)
            return
        with self._changed:
            heapq.heappush(self._waiting, (now + answer.pause, next(self._numbers), answer))
            answer.pause = min(_LONGEST_PAUSE_S, answer.pause * 2)
            if not self._working:
                self._working = True
                threading.Thread(target=self._again, name="rabbit-answers", daemon=True).start()
            self._changed.notify()

    def _again(self) -> None:
        while True:
            with self._changed:
                if not self._waiting or self._closed:
                    self._working = False
                    return
                due = self._waiting[0][0] - self._clock.monotonic()
                if due > 0:
                    self._changed.wait(due)
                    continue
                answer = heapq.heappop(self._waiting)[2]
            self.send(answer)

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()
