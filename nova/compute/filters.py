"""Brings guests' packet filters up to date when the conductor says that they changed."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence

from nova.compute.host import Conductor, Host, context
from nova.errors import NovaError
from nova.objects.ids import HostName, InstanceId
from nova.virt.capabilities import HostFilters


class FilterUpdate:
    """The body of a loop; many changes are answered by one question a host."""

    def __init__(self, hosts: Sequence[Host], conductor: Conductor) -> None:
        self._hosts = {host.name: host for host in hosts}
        self._conductor = conductor
        self._lock = threading.Lock()
        self._changed: dict[HostName, set[InstanceId]] = {}

    def note(self, host: HostName, instances: Iterable[InstanceId]) -> None:
        """Have the filters of these guests asked for."""
        with self._lock:
            self._changed.setdefault(host, set()).update(instances)

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
