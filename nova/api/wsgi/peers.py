"""How many connections one peer may hold, so that who opens thousands leaves room for the others."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable


class Peers:
    """Counts the connections of each address.  For many threads."""

    def __init__(self, most: int, exempt: Callable[[str], bool]) -> None:
        self._most = most
        self._exempt = exempt
        self._held: Counter[str] = Counter()
        self._lock = threading.Lock()

    def is_too_many(self, peer: str, held: int) -> bool:
        """Tell whether a peer that holds so many connections may have no other one."""
        return held >= self._most and not self._exempt(peer)

    def enter(self, peer: str) -> bool:
        """Count one more connection; false, and it is not counted, when it is one too many."""
        with self._lock:
            if self.is_too_many(peer, self._held.get(peer, 0)):
                return False
            self._held[peer] += 1
            return True

    def leave(self, peer: str) -> None:
        """Count one less; once for each time that ``enter`` was true."""
        with self._lock:
            self._held[peer] -= 1
            if self._held[peer] <= 0:
                del self._held[peer]
