"""What an operation costs: messages between daemons, SQL statements, commits; counted, not timed.

A :class:`Meter` listens at the transport and at the conductor's database of a cloud in this process.  What
a statement is for is read from the stack: the conductor's endpoint method that runs it, or the engine.  Loops
(beats, views, reconciling) go on meanwhile and are left out.
"""

from __future__ import annotations

import re
import sys
import threading
from collections import Counter
from collections.abc import Callable
from types import FrameType
from typing import NamedTuple

from nova.rpc import payload
from nova.rpc.transport import Address, Incoming, Listener, Transport

LOOPS_ASK = frozenset(
    {
        "heartbeat",
        "host_views",
        "hosts_changed",
        "inventory",
        "network_state",
        "observed",
        "owed",
        "guests_of",
        "guest_filters",
    }
)
"""Methods that daemons call by themselves, whatever users do."""

Line = tuple[str, str]
"""Who, and what: ``("conductor.boot", "call")``, ``("engine", "update hosts")``."""

_VERB = re.compile(r"^(?:INSERT|UPDATE|DELETE|SELECT)|(?<=\))\s*(?:INSERT|UPDATE|DELETE|SELECT)", re.I)
_TABLES = re.compile(r"\b(?:FROM|JOIN|INTO|UPDATE)\s+[\"`]?([a-z_]+)", re.I)


class Meter:
    """Counts between :meth:`reset` and :meth:`lines`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lines: Counter[Line] = Counter()
        self._under_way = 0

    def reset(self) -> None:
        """Forget what was counted."""
        with self._lock:
            self._lines = Counter()

    def lines(self) -> Counter[Line]:
        """Return what was counted since."""
        with self._lock:
            return Counter(self._lines)

    @property
    def busy(self) -> bool:
        """Tell whether a call waits for its answer."""
        return self._under_way > 0

    def count(self, who: str, what: str) -> None:
        with self._lock:
            self._lines[who, what] += 1

    def statement(self, sql: str) -> None:
        """The database's observer."""
        purpose = _purpose(sys._getframe(1))
        if purpose.who is not None:
            self.count(purpose.who, _label(sql))
            if purpose.commits:
                self.count(purpose.who, "commit")

    def disturb(self, point: str) -> None:
        """The database's ``disturb``: sees transactions end."""
        if point == "committed":
            who = _purpose(sys._getframe(1)).who
            if who is not None:
                self.count(who, "commit")

    def around(self, transport: Transport) -> Transport:
        """Return a transport that is counted."""
        return _Counted(transport, self)

    def entered(self, more: int) -> None:
        with self._lock:
            self._under_way += more


class _Counted:
    """A transport with a meter in front of it."""

    def __init__(self, inner: Transport, meter: Meter) -> None:
        self._inner = inner
        self._meter = meter

    def call(self, to: Address, body: bytes, timeout_s: float) -> bytes:
        method = self._note(to, body, "call")
        if method in LOOPS_ASK:
            return self._inner.call(to, body, timeout_s)
        self._meter.entered(1)
        try:
            return self._inner.call(to, body, timeout_s)
        finally:
            self._meter.entered(-1)

    def cast(self, to: Address, body: bytes) -> None:
        self._note(to, body, "fanout" if to.fanout else "cast")
        self._inner.cast(to, body)

    def listen(self, topic: str, server: str, receive: Callable[[Incoming], None]) -> Listener:
        return self._inner.listen(topic, server, receive)

    def close(self) -> None:
        self._inner.close()

    def _note(self, to: Address, body: bytes, kind: str) -> str:
        method = payload.decode_request(body).method
        # What a loop calls is work that was begun for somebody (reports); what it casts is its own news.
        own_news = kind != "call" and _purpose(sys._getframe(1)).loop
        if method not in LOOPS_ASK and not own_news:
            self._meter.count(f"{to.topic.partition('.')[0]}.{method}", kind)
        return method


class _Purpose(NamedTuple):
    """For whom work is done, as the stack tells."""

    who: str | None
    """The conductor's endpoint method, or the engine; none: neither, or something a loop asked for."""
    loop: bool = False
    commits: bool = False
    """The statement commits by itself."""


def _purpose(frame: FrameType | None) -> _Purpose:
    commits = False
    while frame is not None:
        file, name = frame.f_code.co_filename, frame.f_code.co_name
        if file.endswith("nova/db/engine.py") and name == "once":
            commits = True
        elif "nova/conductor/endpoints/" in file:
            return _Purpose(None if name in LOOPS_ASK else f"conductor.{name}", commits=commits)
        elif file.endswith("nova/conductor/engine/engine.py") and name == "_work":
            return _Purpose("engine", commits=commits)
        elif file.endswith("nova/loops.py"):
            return _Purpose(None, loop=True)
        frame = frame.f_back
    return _Purpose(None)


def _label(sql: str) -> str:
    verb = _VERB.search(sql)
    tables = list(dict.fromkeys(t.lower() for t in _TABLES.findall(sql)))
    return f"{verb[0].lower() if verb else '?'} {' '.join(tables)}"


def text_of(lines: Counter[Line]) -> list[str]:
    """Write counts down, one line for each party: messages, statements, commits, then the statements."""
    parties = sorted({who for who, _ in lines})
    written = []
    for who in parties:
        found = {what: n for (party, what), n in lines.items() if party == who}
        kinds = [_number(found.pop(kind), kind) for kind in ("call", "cast", "fanout") if kind in found]
        commits = found.pop("commit", 0)
        statements = sum(found.values())
        if statements or commits:
            kinds += [_number(statements, "statement"), _number(commits, "commit")]
        what = ", ".join(f"{name}{f' x{n}' if n > 1 else ''}" for name, n in sorted(found.items()))
        written.append(f"    {who:<34} {', '.join(kinds)}{': ' + what if what else ''}")
    return written


def _number(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
