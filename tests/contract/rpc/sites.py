"""Message systems that the suite runs against, each with everything the tests do to it."""

from __future__ import annotations

import itertools
import queue
import threading
from collections.abc import Callable
from typing import Protocol

from nova import conf as nova_conf
from nova import ids
from nova.rpc.transport import (
    Address,
    Incoming,
    ReplyTimeout,
    Transport,
    Unreachable,
    make_transport,
)
from tests.support.eventually import eventually

SITES = ("memory", "rabbit")

_NUMBERS = itertools.count(1)


class Sited(Protocol):
    """What a test gets: transports of one message system, closed behind it."""

    url: str

    def transport(self, query: str = "") -> Transport:
        """Make one more transport, as one more process would."""


class Site:
    """Transports of ``url``; options are those of a daemon's file."""

    def __init__(self, url: str, options: dict[str, object] | None = None) -> None:
        self.url = url
        self._options = options or {}
        self._made: list[Transport] = []

    def transport(self, query: str = "") -> Transport:
        conf = nova_conf.load(files=[])
        for name, value in self._options.items():
            conf.set_override(name, value, group="rpc")
        url = f"chaos+{self.url}?{query}" if query else self.url
        made = make_transport(conf, url)
        self._made.append(made)
        return made

    def lose_connections(self) -> None:
        """Break what all transports to a broker have open."""
        for transport in self._made:
            transport.lose_connections()  # type: ignore[attr-defined]

    def close(self) -> None:
        for transport in self._made:
            transport.close()


def new_topic(word: str = "topic") -> str:
    """Name a topic that no other test of any run uses."""
    return f"{word}-{ids.new_uuid()[:8]}-{next(_NUMBERS)}"


class Ear:
    """Keeps what it hears; ``answer`` makes the answers (on a thread of its own, as servers do).

    What is heard counts as done, unless ``begins`` is false: then it may be handed back.
    """

    def __init__(self, answer: Callable[[bytes], bytes] | None = None, *, begins: bool = True) -> None:
        self._begins = begins
        self.heard: queue.SimpleQueue[Incoming] = queue.SimpleQueue()
        self._answer = answer

    def __call__(self, incoming: Incoming) -> None:
        if self._begins:
            incoming.begin()
            incoming.end()
        self.heard.put(incoming)
        if self._answer is not None and incoming.expects_reply:
            threading.Thread(target=self._reply, args=(incoming,), daemon=True).start()

    def _reply(self, incoming: Incoming) -> None:
        assert self._answer is not None
        incoming.reply(self._answer(incoming.body))

    def next(self, within_s: float = 20.0) -> Incoming:
        """Return the next message."""
        return self.heard.get(timeout=within_s)

    def bodies(self, count: int, within_s: float = 30.0) -> list[bytes]:
        """Return the bodies of the next ``count`` messages."""
        return [self.next(within_s).body for _ in range(count)]

    @property
    def silent(self) -> bool:
        """Tell whether nothing more was heard."""
        return self.heard.empty()


def echo(body: bytes) -> bytes:
    return b"heard " + body


def listening(transport: Transport, topic: str, server: str, answer: Callable[[bytes], bytes] = echo) -> Ear:
    """Open an ear that answers; it stays open until its transport closes."""
    ear = Ear(answer)
    transport.listen(topic, server, ear)
    return ear


def handed_over(transport: Transport, to: Address, body: bytes, within_s: float = 30.0) -> None:
    """Cast, coming again while the message system cannot take it, as clients do."""

    def send() -> bool:
        try:
            transport.cast(to, body)
        except Unreachable:
            return False
        return True

    eventually(send, within_s=within_s, what=f"hand over to {to}")


def answered(transport: Transport, to: Address, body: bytes, within_s: float = 30.0) -> bytes:
    """Call, coming again while there is no answer, as clients do for what may be done twice."""

    def ask() -> bytes | None:
        try:
            return transport.call(to, body, 2.0)
        except (ReplyTimeout, Unreachable):
            return None

    found = eventually(ask, within_s=within_s, what=f"an answer of {to}")
    assert found is not None
    return found
