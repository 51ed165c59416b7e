"""Our one table of packet rules."""

from __future__ import annotations

import re

from nova.privsep.nft import Nft

FAMILY = "ip"
_DYNAMIC = re.compile(
    r"^\tset \w+ \{\n(?:\t\t(?!flags dynamic).*\n)*\t\tflags dynamic\n(?:\t\t.*\n)*\t\}\n", re.M
)
"""A set that the kernel fills itself."""


class Firewall:
    """Keeps our table as wanted; rules of others are theirs."""

    def __init__(self, nft: Nft, table: str) -> None:
        self._nft = nft
        self._table = table
        self._body: str | None = None
        self._listing: str | None = None
        """The kernel's words for what we put there: they change when anybody touches it."""

    def apply(self, body: str | None, *, look: bool) -> list[str]:
        """Put ``body`` into force (none: no table).

        Without ``look`` the table is taken to be as we left it; with it the kernel is asked.  The change is
        one transaction: there is no moment without rules, and open connections keep their translation.
        """
        if body is None:
            return self._remove(look)
        if body == self._body:
            if not look or self._look() == self._listing:
                return []
            told = f"packet rules {self._table} were changed by another and put back"
        else:
            told = f"packet rules {self._table} put into force"
        self._nft.replace(FAMILY, self._table, body)
        self._body, self._listing = body, self._look()
        return [told]

    def _look(self) -> str | None:
        """Return the kernel's words for our table without those that packets change."""
        listing = self._nft.listing(FAMILY, self._table)
        return None if listing is None else _DYNAMIC.sub("", listing)

    def _remove(self, look: bool) -> list[str]:
        if self._body is None and not look:
            return []
        there = self._nft.listing(FAMILY, self._table) is not None
        if there:
            self._nft.remove(FAMILY, self._table)
        self._body = self._listing = None
        return [f"packet rules {self._table} removed"] if there else []
