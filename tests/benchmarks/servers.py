"""Making, finding and removing the servers that scenarios work on; nothing here is measured."""

from __future__ import annotations

import time
import urllib.parse
from typing import Any

from tests.benchmarks.clients import Client, Target, many

PAGE = 1000
LEAST_PAUSE_S = 0.05
_DEADLINE_S = 900.0


def wish(target: Target, name: str, count: int = 0) -> Any:
    """Return the body of a create request."""
    server: dict[str, Any] = {
        "name": name,
        "imageRef": target.image,
        "flavorRef": target.flavor,
        "networks": "none",
    }
    if count:
        server |= {"min_count": count, "max_count": count}
    return {"server": server}


def found(client: Client, prefix: str, **filters: str) -> list[str]:
    """Return the ids of all servers whose names begin so."""
    ids: list[str] = []
    marker: dict[str, str] = {}
    while True:
        query = {"name": f"^{prefix}", "limit": str(PAGE), **filters, **marker}
        page = client.json("GET", "/servers?" + urllib.parse.urlencode(query))["servers"]
        ids += [server["id"] for server in page]
        if len(page) < PAGE:
            return ids
        marker = {"marker": page[-1]["id"]}


class Looks:
    """Looks again and again, so rarely that looking is at most a tenth of the load.

    By the quickest look: one that was slow because of what is measured must not put off the next.
    """

    def __init__(self) -> None:
        self._quickest_s = float("inf")

    def pause(self, looked_s: float) -> None:
        """Wait before looking again after a look that took so long."""
        self._quickest_s = min(self._quickest_s, looked_s)
        time.sleep(max(LEAST_PAUSE_S, 9 * self._quickest_s))


def wait_all(target: Target, prefix: str, count: int, status: str) -> dict[str, float]:
    """Wait until so many servers have a status; return when (monotonic) each was first seen so."""
    client, seen, looks = Client(target), dict[str, float](), Looks()
    end = time.monotonic() + _DEADLINE_S
    while len(seen) < count and time.monotonic() < end:
        began = time.monotonic()
        for server in found(client, prefix, status=status):
            seen.setdefault(server, time.monotonic())
        if len(seen) < count:
            looks.pause(time.monotonic() - began)
    return seen


def wait_gone(target: Target, prefix: str) -> int:
    """Wait until no server has such a name; return how many are left after all."""
    client, looks, end = Client(target), Looks(), time.monotonic() + _DEADLINE_S
    while True:
        began = time.monotonic()
        left = len(found(client, prefix))
        if not left or time.monotonic() > end:
            return left
        looks.pause(time.monotonic() - began)


def populate(target: Target, prefix: str, count: int, batch: int = 100) -> list[str]:
    """Have so many ACTIVE servers; return their ids."""
    client = Client(target)
    have = len(found(client, prefix, status="ACTIVE"))
    while have < count:
        more = min(batch, count - have)
        client.json("POST", "/servers", wish(target, prefix, more))
        seen = wait_all(target, prefix, have + more, "ACTIVE")
        if len(seen) < have + more:
            raise RuntimeError(f"only {len(seen)} of {have + more} servers became ACTIVE")
        have += more
    return found(client, prefix, status="ACTIVE")[:count]


def remove(target: Target, prefix: str) -> None:
    """Delete every server with such a name."""
    ids = found(Client(target), prefix)
    if ids:
        many(target, len(ids), 8, lambda c, n: (c.ask("DELETE", f"/servers/{ids[n]}").status, None))
        left = wait_gone(target, prefix)
        if left:
            raise RuntimeError(f"{left} servers could not be deleted")
