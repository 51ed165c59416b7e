"""Copies of calls, as they come when a client sends again what the broker did not confirm."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable

from nova.rpc.transport import Address, Incoming, Listener, Transport


class Copying:
    """A transport that sends a call several times, ``at_once`` and ``late``; all must be answered alike."""

    def __init__(self, inner: Transport, *, at_once: int = 1, late: int = 0, most: int = 8) -> None:
        self.at_once = at_once
        self.late = late
        self._inner = inner
        self._pool = concurrent.futures.ThreadPoolExecutor(most)
        self._last: Callable[[], bytes] = bytes
        self._answer = b""

    def call(self, to: Address, body: bytes, timeout_s: float) -> bytes:
        self._last = lambda: self._inner.call(to, body, timeout_s)
        answers = {one.result(60) for one in [self._pool.submit(self._last) for _ in range(self.at_once)]}
        assert len(answers) == 1, answers
        self._answer = answers.pop()
        for _ in range(self.late):
            self.again()
        return self._answer

    def again(self) -> None:
        """Let one more copy of the last call come."""
        answer = self._last()
        assert answer == self._answer, (answer, self._answer)

    def cast(self, to: Address, body: bytes) -> None:
        self._inner.cast(to, body)

    def listen(self, topic: str, server: str, receive: Callable[[Incoming], None]) -> Listener:
        return self._inner.listen(topic, server, receive)

    def close(self) -> None:
        self._pool.shutdown()
