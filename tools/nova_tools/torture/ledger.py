"""What clients asked for and what they were told: the judge's evidence."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

ACCEPTED = "accepted"
"""2xx: from now on it must end as asked, or with a fault that says why."""
REFUSED = "refused"
"""4xx: a rule said no, nothing was to change."""
UNAVAILABLE = "unavailable"
"""503: told to come again."""
FAILED = "failed"
"""Any other answer: always wrong."""
POLL, KNOCK = "poll", "knock"
"""Questions that wait for something: judged as all others, and not counted as work."""
DOUBT_S = 90.0
"""Longer than any message or call of the cloud is kept."""
LOST = "lost"
"""No answer came: it may have been done, at most once."""


@dataclass
class Entry:
    """One request that was to change or show something."""

    kind: str
    client: int
    server: str | None = None
    tag: str = ""
    """Unique name of what a create made."""
    count: int = 1
    """Servers that a create asked for."""
    outcome: str = ""
    status: int = 0
    request_id: str = ""
    began: float = 0.0
    """When it was first sent; monotonic seconds, as ``ended``."""
    ended: float = 0.0
    retry_after: str | None = None
    tries: int = 1
    told: str = ""
    """The words of a refusal or failure."""

    @property
    def seconds(self) -> float:
        """How long the answer was waited for."""
        return self.ended - self.began

    def words(self) -> str:
        """Name the request, as its log lines can be found."""
        whose = self.server or self.tag or f"client {self.client}"
        return f"{self.kind} of {whose} ({self.request_id or 'no request id'})"


@dataclass
class Server:
    """A server as its client expects it to be."""

    id: str
    name: str
    client: int
    expected: str | None = None
    """API status after the last action; none: nobody can know (a lost answer)."""
    last: Entry | None = None
    """The last action that was accepted."""
    deleting: bool = False
    may_be_gone: bool = False
    """A delete was sent, whatever was answered."""
    busy: bool = False
    """An action was accepted, and nobody has looked since whether it has ended."""
    metadata: dict[str, set[str]] = field(default_factory=dict)
    """Key to the values that are right: the last one acknowledged, and later ones without an answer."""
    tags: dict[str, bool | None] = field(default_factory=dict)
    """Tag to whether it must be there; none: nobody can know."""
    doubted_until: float = 0.0

    def doubt(self, *, keep: bool = False) -> None:
        """An action of which nobody knows whether it was taken may still begin for a while.

        ``keep``: whatever becomes of it, the server's status stays.
        """
        self.doubted_until = time.monotonic() + DOUBT_S
        if not keep:
            self.last = self.expected = None

    def doubted(self) -> bool:
        """Tell whether nobody can say what the server should be."""
        return self.expected is None or time.monotonic() < self.doubted_until


class Ledger:
    """Entries of all clients."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.entries: list[Entry] = []
        self._done = 0
        self.servers: dict[str, Server] = {}
        self.troubles: list[str] = []
        """Sentences of clients about what must not be."""

    def add(self, entry: Entry) -> None:
        with self._lock:
            self.entries.append(entry)
            self._done += entry.kind not in (POLL, KNOCK)

    def know(self, server: Server) -> None:
        with self._lock:
            self.servers[server.id] = server

    def complain(self, sentence: str) -> None:
        """Note something that a client saw and that must not be."""
        with self._lock:
            self.troubles.append(sentence)

    def done(self) -> int:
        """Return how many requests have been answered or lost, without those that only wait."""
        return self._done

    def outcomes(self) -> dict[str, dict[str, int]]:
        """Count outcomes by kind of request."""
        counted: dict[str, Counter[str]] = {}
        for entry in list(self.entries):
            counted.setdefault(entry.kind, Counter())[entry.outcome] += 1
        return {kind: dict(counts) for kind, counts in sorted(counted.items())}

    def latencies(self) -> dict[str, float]:
        """Return p50, p99 and the maximum of answered requests in seconds."""
        return spread(entry.seconds for entry in list(self.entries) if entry.outcome != LOST)


def spread(values: Iterable[float]) -> dict[str, float]:
    """Return median, 99th percentile and maximum."""
    found = sorted(values)
    if not found:
        return {"p50": 0.0, "p99": 0.0, "max": 0.0}
    return {
        "p50": round(found[len(found) // 2], 3),
        "p99": round(found[min(len(found) - 1, int(len(found) * 0.99))], 3),
        "max": round(found[-1], 3),
    }
