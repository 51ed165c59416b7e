"""Tells hosts that guests came or went whom other guests' packet filters name.

A rule may let in the members of a group; each host holds the addresses of these members.  Many that come at
the same time are one look and one cast a host.  What a conductor that dies did not tell, hosts find when they
look at all filters.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from nova.conductor.services.security_groups import tell_hosts
from nova.db import security_groups
from nova.objects.ids import InstanceId

if TYPE_CHECKING:
    from nova.conductor.engine.step import Run
    from nova.conductor.world import World

_KINDS = frozenset({"boot", "delete"})


class FilterNews:
    """The body of a loop."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._lock = threading.Lock()
        self._news: set[InstanceId] = set()

    def note(self, run: Run) -> None:
        """Take down that a workflow ended."""
        if run.row.kind in _KINDS:
            with self._lock:
                self._news.add(InstanceId(run.row.instance_id))

    def tell(self) -> str | None:
        """Tell the hosts of all whom the guests that came and went may reach."""
        with self._lock:
            news, self._news = self._news, set()
        if not news:
            return None
        try:
            guests = self._world.db.read(lambda tx: security_groups.neighbours(tx, sorted(news)))
        except BaseException:
            with self._lock:
                self._news |= news
            raise
        tell_hosts(self._world, self._world.context(), guests)
        return f"{len(guests)} hosts told" if guests else None
