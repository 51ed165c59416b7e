"""Queues inside one process, with the manners of RabbitMQ.

A message is bytes from the moment it is sent, so nothing is shared between caller and server.  A topic is a
queue that servers take from in turn; ``topic`` at a named server is a queue of that server; a fanout reaches
those that listen now.  A queue is made by the first server that listens on it and stays: until then nobody
can send there; what nobody takes yet waits (the oldest goes first when a queue is full), a call that waits
longer than its caller does is dropped, an answer nobody waits for any more is dropped.

Waiting is done on locks; nothing polls.  A message is handed to the server's pool by the sender's own thread.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import weakref
from collections import deque
from collections.abc import Callable

from nova.clock import Clock
from nova.rpc.transport import Address, Incoming, Listener, ReplyTimeout, Unreachable

_LOG = logging.getLogger(__name__)

MAX_WAITING = 10_000

Receive = Callable[[Incoming], None]


_CLOCK = Clock()


class _Message:
    """A message on its way; of a call it is also where the answer arrives."""

    __slots__ = ("_answered", "_queue", "answer", "body", "expects_reply", "expires")

    def __init__(self, body: bytes, timeout_s: float | None) -> None:
        self.body = body
        self.expects_reply = timeout_s is not None
        self.expires = None if timeout_s is None else _CLOCK.monotonic() + timeout_s
        self.answer: bytes | None = None
        self._queue: _Queue | None = None
        self._answered = threading.Lock()
        self._answered.acquire()

    @property
    def deliveries(self) -> int:
        return 1

    def taken_from(self, queue: _Queue) -> None:
        self._queue = queue

    def begin(self) -> None:
        """Nothing to tell: a message is with one server at a time."""

    def end(self) -> None:
        """Nothing to tell either."""

    def set_aside(self, reason: str) -> None:
        """The server's own list is in this process, too."""

    def expired(self) -> bool:
        return self.expires is not None and _CLOCK.monotonic() >= self.expires

    def reply(self, body: bytes) -> None:
        """Set the answer; a second one is dropped."""
        if self.answer is None:
            self.answer = body
            self._wake()

    def hand_back(self) -> bool:
        if self._queue is None:
            return False
        self._queue.put(self)
        return True

    def abandon(self) -> None:
        """Wake the caller without an answer."""
        self._wake()

    def _wake(self) -> None:
        # Two answers at the same time, or an answer and the end: the caller wakes once.
        with contextlib.suppress(RuntimeError):
            self._answered.release()

    def wait(self, timeout_s: float) -> bytes:
        if not self._answered.acquire(timeout=max(0.0, timeout_s)):
            raise ReplyTimeout
        if self.answer is None:
            raise Unreachable("the transport was closed")
        return self.answer


class _Queue:
    """Messages for one topic, or for one topic at one server."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._lock = threading.Lock()
        self._waiting: deque[_Message] = deque()
        self._takers: list[Receive] = []
        self._turn = 0

    def put(self, message: _Message) -> None:
        message.taken_from(self)
        with self._lock:
            if not self._takers:
                if len(self._waiting) >= MAX_WAITING:
                    self._waiting.popleft()
                    _LOG.warning("queue %s is full: dropped its oldest message", self.name)
                self._waiting.append(message)
                return
            self._turn = (self._turn + 1) % len(self._takers)
            receive = self._takers[self._turn]
        receive(message)

    def add(self, receive: Receive) -> None:
        with self._lock:
            self._takers.append(receive)
            waited = list(self._waiting)
            self._waiting.clear()
        for message in waited:
            if not message.expired():
                receive(message)

    def remove(self, receive: Receive) -> None:
        with self._lock:
            self._takers.remove(receive)

    def purge(self) -> None:
        with self._lock:
            self._waiting.clear()


class MemoryBus:
    """All queues of one message system."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queues: dict[tuple[str, str | None], _Queue] = {}
        self._fanouts: dict[str, list[Receive]] = {}

    def find(self, topic: str, server: str | None) -> _Queue:
        """Return the queue that a server made; raise :class:`Unreachable` when there is none."""
        found = self._queues.get((topic, server))
        if found is None:
            raise Unreachable(f"nobody has ever listened on {topic}{f' as {server}' if server else ''}")
        return found

    def queue(self, topic: str, server: str | None) -> _Queue:
        """Return a server's queue, made when it first listens."""
        key = (topic, server)
        found = self._queues.get(key)
        if found is None:
            with self._lock:
                found = self._queues.setdefault(key, _Queue(f"{topic}.{server}" if server else topic))
        return found

    def fanouts(self, topic: str) -> list[Receive]:
        with self._lock:
            return list(self._fanouts.get(topic, ()))

    def join(self, topic: str, receive: Receive) -> None:
        with self._lock:
            self._fanouts.setdefault(topic, []).append(receive)

    def leave(self, topic: str, receive: Receive) -> None:
        with self._lock:
            self._fanouts[topic].remove(receive)

    def purge(self) -> None:
        """Lose all messages that wait, as a broker does that lost its disk."""
        with self._lock:
            queues = list(self._queues.values())
        for queue in queues:
            queue.purge()


_BUSES: weakref.WeakValueDictionary[str, MemoryBus] = weakref.WeakValueDictionary()
_BUSES_LOCK = threading.Lock()


def bus_named(name: str) -> MemoryBus:
    """Return the bus that every ``memory:///name`` of this process shares while one of them lives."""
    with _BUSES_LOCK:
        bus = _BUSES.get(name)
        if bus is None:
            bus = _BUSES[name] = MemoryBus()
        return bus


class _MemoryListener:
    """The three queues a server takes from."""

    def __init__(self, bus: MemoryBus, topic: str, server: str, receive: Receive) -> None:
        self._bus = bus
        self._topic = topic
        self._queues = (bus.queue(topic, None), bus.queue(topic, server))
        self._receive = receive
        self._stopped = False
        for queue in self._queues:
            queue.add(self._take)
        bus.join(topic, self._take)

    def _take(self, message: Incoming) -> None:
        if not self._stopped:
            self._receive(message)
        else:
            # A sender chose this listener just before it stopped.
            message.hand_back()

    def stop(self) -> None:
        if not self._stopped:
            self._stopped = True
            for queue in self._queues:
                queue.remove(self._take)
            self._bus.leave(self._topic, self._take)


class MemoryTransport:
    """A :class:`~nova.rpc.transport.Transport` over a bus of this process."""

    def __init__(self, bus: MemoryBus) -> None:
        self._bus = bus
        self._closed = False
        self._calls: set[_Message] = set()

    def call(self, to: Address, body: bytes, timeout_s: float) -> bytes:
        message = _Message(body, timeout_s)
        self._calls.add(message)
        try:
            self._send(to, message)
            return message.wait(timeout_s)
        finally:
            self._calls.discard(message)

    def cast(self, to: Address, body: bytes) -> None:
        self._send(to, _Message(body, None))

    def _send(self, to: Address, message: _Message) -> None:
        if self._closed:
            raise Unreachable("the transport is closed")
        if to.fanout:
            for receive in self._bus.fanouts(to.topic):
                receive(message)
        else:
            self._bus.find(to.topic, to.server).put(message)

    def listen(self, topic: str, server: str, receive: Receive) -> Listener:
        return _MemoryListener(self._bus, topic, server, receive)

    def close(self) -> None:
        self._closed = True
        for message in list(self._calls):
            message.abandon()
