"""A transport that behaves badly on purpose: loses, delays, doubles and reorders what another one carries.

``chaos+memory:///name?seed=7&lose=0.05&double=0.05&delay=0.2&delay_s=0.05&reorder=0.1``; the chances are per
message, requests and answers alike.  With one seed and one order of sending, the same messages suffer.
"""

from __future__ import annotations

import contextlib
import random
import threading
import urllib.parse
from collections.abc import Callable

import msgspec

from nova.rpc.transport import Address, Incoming, Listener, ReplyTimeout, Transport


class Faults(msgspec.Struct, frozen=True, kw_only=True):
    """What may happen to a message, as chances between 0 and 1."""

    seed: int = 1
    lose: float = 0.0
    double: float = 0.0
    delay: float = 0.0
    delay_s: float = 0.05
    """The longest delay."""
    reorder: float = 0.0
    """Chance that a cast is held until the next one has gone."""


def read_faults(url: str) -> tuple[Faults, str]:
    """Split a URL into its faults and the URL of the transport below; ``ValueError`` for a bad number."""
    head, _, query = url.partition("?")
    own: dict[str, str] = {}
    others: list[tuple[str, str]] = []
    for key, value in urllib.parse.parse_qsl(query):
        if key in Faults.__struct_fields__:
            own[key] = value
        else:
            others.append((key, value))
    try:
        faults = msgspec.convert(own, Faults, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(f"chaos transport: {error}") from error
    return faults, head + ("?" + urllib.parse.urlencode(others) if others else "")


class _Unreliable:
    """An incoming message whose answer may be lost, late or doubled."""

    def __init__(self, chaos: ChaosTransport, inner: Incoming) -> None:
        self._chaos = chaos
        self._inner = inner

    @property
    def body(self) -> bytes:
        return self._inner.body

    @property
    def expects_reply(self) -> bool:
        return self._inner.expects_reply

    @property
    def deliveries(self) -> int:
        return self._inner.deliveries

    def begin(self) -> None:
        self._inner.begin()

    def end(self) -> None:
        self._inner.end()

    def set_aside(self, reason: str) -> None:
        self._inner.set_aside(reason)

    def reply(self, body: bytes) -> None:
        self._chaos.suffer(lambda: self._inner.reply(body))

    def hand_back(self) -> bool:
        return self._inner.hand_back()


class ChaosTransport:
    """Wraps a transport; ``faults`` may be exchanged while it runs."""

    def __init__(self, inner: Transport, faults: Faults) -> None:
        self.faults = faults
        self._inner = inner
        self._random = random.Random(faults.seed)
        self._lock = threading.Lock()
        self._held: Callable[[], None] | None = None

    def _happens(self, chance: float) -> bool:
        # One draw a question, whatever the chance is, so that changing one fault does not move the others.
        with self._lock:
            return self._random.random() < chance

    def suffer(self, send: Callable[[], None]) -> None:
        """Send once, twice, later or never."""
        faults = self.faults
        lost, doubled, delayed = (
            self._happens(faults.lose),
            self._happens(faults.double),
            self._happens(faults.delay),
        )
        if lost:
            return
        if delayed:
            with self._lock:
                pause = self._random.random() * faults.delay_s
            timer = threading.Timer(pause, _quietly, (send,))
            timer.daemon = True
            timer.start()
        else:
            send()
        if doubled:
            _quietly(send)

    def cast(self, to: Address, body: bytes) -> None:
        def send() -> None:
            self._inner.cast(to, body)

        if self._happens(self.faults.reorder):
            with self._lock:
                held, self._held = self._held, send
        else:
            with self._lock:
                held, self._held = self._held, None
            self.suffer(send)
        if held is not None:
            self.suffer(held)

    def call(self, to: Address, body: bytes, timeout_s: float) -> bytes:
        faults = self.faults
        if self._happens(faults.lose):
            threading.Event().wait(timeout_s)
            raise ReplyTimeout
        if self._happens(faults.delay):
            with self._lock:
                pause = self._random.random() * min(faults.delay_s, timeout_s)
            threading.Event().wait(pause)
            timeout_s -= pause
        if self._happens(faults.double):
            # The second copy's answer goes nowhere, as with a broker that delivers twice.
            threading.Thread(target=self._again, args=(to, body, timeout_s), daemon=True).start()
        return self._inner.call(to, body, timeout_s)

    def _again(self, to: Address, body: bytes, timeout_s: float) -> None:
        _quietly(lambda: self._inner.call(to, body, timeout_s))

    def listen(self, topic: str, server: str, receive: Callable[[Incoming], None]) -> Listener:
        return self._inner.listen(topic, server, lambda incoming: receive(_Unreliable(self, incoming)))

    def flush(self) -> None:
        """Send what is held back for reordering."""
        with self._lock:
            held, self._held = self._held, None
        if held is not None:
            held()

    def close(self) -> None:
        self._inner.close()


def _quietly(send: Callable[[], object]) -> None:
    # A copy nobody asked for may fail in silence.
    with contextlib.suppress(Exception):
        send()
