"""Our one table of packet rules."""

from __future__ import annotations

import re

from nova.network.render.nat import GUESTS, Table
from nova.privsep.nft import Nft

FAMILY = "ip"
_DYNAMIC = re.compile(
    r"^\tset \w+ \{\n(?:\t\t(?!flags dynamic).*\n)*\t\tflags dynamic\n(?:\t\t.*\n)*\t\}\n", re.M
)
"""A set that the kernel fills itself."""


class Firewall:
    """Keeps our table as wanted; rules of others are theirs."""

    def __init__(self, nft: Nft, name: str) -> None:
        self._nft = nft
        self._name = name
        self._table: Table | None = None
        self._listing: str | None = None
        """The kernel's words for what we put there: they change when anybody touches it."""

    def apply(self, table: Table | None, *, look: bool) -> list[str]:
        """Put ``table`` into force (none: no table of ours); return what had to be changed, in words.

        Without ``look`` the table is taken to be as we left it; with it the kernel is asked.  Each change is
        one transaction: there is no moment without rules, and open connections keep their translation.
        """
        if table is None:
            return self._remove(look)
        before, self._table = self._table, None
        if table == before and (not look or self._is_untouched()):
            self._table = table
            return []
        told = [f"packet rules {self._name} put into force"]
        if before is not None and table.rest == before.rest and not look:
            # Ten times faster than a new table: the kernel waits for no packet that uses the old one.
            self._nft.change_set(FAMILY, self._name, GUESTS, table.guests, before.guests)
            told = [f"guests known to the packet rules {self._name} changed"]
        else:
            if table == before:
                told = [] if self._listing is None else [f"packet rules {self._name} were put back"]
            self._nft.replace(FAMILY, self._name, table.body)
        # Asking what the kernel made of it takes time: left to the next look.
        self._table, self._listing = table, self._look() if look else None
        return told

    def _is_untouched(self) -> bool:
        return self._listing is not None and self._look() == self._listing

    def _look(self) -> str | None:
        """Return the kernel's words for our table without those that packets change."""
        listing = self._nft.listing(FAMILY, self._name)
        return None if listing is None else _DYNAMIC.sub("", listing)

    def _remove(self, look: bool) -> list[str]:
        if self._table is None and not look:
            return []
        there = self._nft.listing(FAMILY, self._name) is not None
        if there:
            self._nft.remove(FAMILY, self._name)
        self._table = self._listing = None
        return [f"packet rules {self._name} removed"] if there else []
