"""Brings guests' packet filters up to date when the conductor says that they changed.

A build carries the filters of the moment it was ordered.  News of a guest that is not there yet, or is just
being built, would be lost on it; so news is remembered for a while and looked at again when a build ends.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence

from nova.clock import Clock
from nova.compute.book import Key
from nova.compute.host import Conductor, Host, context
from nova.errors import NovaError
from nova.objects.ids import HostName, InstanceId
from nova.virt.capabilities import HostFilters

_NEWS_KEPT_S = 600.0
"""Longer than any build waits between being ordered and being done."""
_NEWS_KEPT = 20_000


class FilterUpdate:
    """The body of a loop; many changes are answered by one question a host."""

    def __init__(self, hosts: Sequence[Host], conductor: Conductor, clock: Clock) -> None:
        self._hosts = {host.name: host for host in hosts}
        self._conductor = conductor
        self._clock = clock
        self._lock = threading.Lock()
        self._changed: dict[HostName, set[InstanceId]] = {}
        self._news: OrderedDict[Key, float] = OrderedDict()

    def note(self, host: HostName, instances: Iterable[InstanceId]) -> None:
        """Have the filters of these guests asked for."""
        now = self._clock.monotonic()
        with self._lock:
            changed = self._changed.setdefault(host, set())
            for instance in instances:
                changed.add(instance)
                self._news[(host, instance)] = now
                self._news.move_to_end((host, instance))
            while len(self._news) > _NEWS_KEPT or (
                self._news and next(iter(self._news.values())) < now - _NEWS_KEPT_S
            ):
                self._news.popitem(last=False)

    def built(self, host: HostName, instance: InstanceId) -> bool:
        """Have the filters of a guest asked for again if there was news while it was built; tell whether."""
        with self._lock:
            if self._news.pop((host, instance), None) is None:
                return False
            self._changed.setdefault(host, set()).add(instance)
            return True

    def run(self) -> str | None:
        """Ask and apply; what fails comes again."""
        with self._lock:
            changed, self._changed = self._changed, {}
        done = 0
        while changed:
            host, instances = changed.popitem()
            driver = self._hosts[host].driver
            if not isinstance(driver, HostFilters):
                continue
            try:
                filters = self._conductor.guest_filters(context(), host, sorted(instances))
                driver.apply_filters(filters)
                done += len(filters)
            except NovaError:
                self.note(host, instances)
                for other, more in changed.items():
                    self.note(other, more)
                raise
        return f"{done} guests" if done else None
