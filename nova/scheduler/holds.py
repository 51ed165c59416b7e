"""What this scheduler decided and the conductor did not show yet: counted against the hosts meanwhile."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from nova.scheduler.host_table import HostTable, Key, Load


class Hold(NamedTuple):
    """An instance that is on its way to a host."""

    load: Load
    generation: int
    """Of the host when it was chosen: a higher one shows the claim."""
    until: float
    """On the monotonic clock; the claim will not come any more."""


class Holds:
    """Holds of all hosts.  The table's numbers always contain exactly the holds that are here."""

    def __init__(self, table: HostTable) -> None:
        self._table = table
        self._holds: dict[Key, list[Hold]] = {}

    def __len__(self) -> int:
        return sum(len(holds) for holds in self._holds.values())

    def add(self, key: Key, load: Load, generation: int, until: float) -> None:
        """Count an instance against a host; a host that is not known is left out."""
        self._put(key, Hold(load, generation, until))

    def lift(self, keys: Iterable[Key] | None = None) -> list[tuple[Key, Hold]]:
        """Take back those of some hosts (none: of all), before their rows are replaced."""
        lifted = []
        for key in [*self._holds] if keys is None else keys:
            row = self._table.row(*key)
            for hold in self._holds.pop(key, ()):
                if row is not None:
                    self._table.consume(row, hold.load, -1)
                lifted.append((key, hold))
        return lifted

    def lay(self, lifted: Iterable[tuple[Key, Hold]], now: float) -> None:
        """Put back those that are not over and whose claims the rows do not show yet."""
        for key, hold in lifted:
            row = self._table.row(*key)
            if row is not None and hold.until > now and self._table.generation[row] <= hold.generation:
                self._put(key, hold)

    def expire(self, now: float) -> None:
        """Take back what waited too long."""
        over = [key for key, holds in self._holds.items() if any(h.until <= now for h in holds)]
        self.lay(self.lift(over), now)

    def _put(self, key: Key, hold: Hold) -> None:
        row = self._table.row(*key)
        if row is not None:
            self._table.consume(row, hold.load)
            self._holds.setdefault(key, []).append(hold)
