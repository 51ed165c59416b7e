"""Reports what hypervisors have: when it changed, and now and then all of it."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import msgspec

from nova.clock import Clock
from nova.compute.host import Conductor, Host, context
from nova.errors import NovaError
from nova.objects.host import HostInventory

LOG = logging.getLogger(__name__)

_AT_ONCE = 200
"""Hosts in one message."""


class InventoryReport:
    """The body of a loop."""

    def __init__(self, hosts: Sequence[Host], conductor: Conductor, clock: Clock, full_s: float) -> None:
        self._hosts = hosts
        self._conductor = conductor
        self._clock = clock
        self._full_s = full_s

    def run(self) -> str | None:
        """Look at every host; tell about those that changed or were not told about for long."""
        told = 0
        for at in range(0, len(self._hosts), _AT_ONCE):
            told += self._report(self._hosts[at : at + _AT_ONCE])
        return f"{told} hosts told" if told else None

    def _report(self, hosts: Sequence[Host]) -> int:
        now = self._clock.monotonic()
        changed: list[tuple[Host, tuple[HostInventory, ...]]] = []
        for host in hosts:
            found = self._look(host)
            overdue = host.last_inventory_at is None or now - host.last_inventory_at >= self._full_s
            if found and (overdue or _lasting(found) != _lasting(host.last_inventory)):
                changed.append((host, found))
        if not changed:
            return 0
        self._conductor.inventory(context(), [one for _, found in changed for one in found])
        for host, found in changed:
            host.last_inventory, host.last_inventory_at = found, now
        return len(changed)

    def _look(self, host: Host) -> tuple[HostInventory, ...]:
        if not host.started:
            return ()
        try:
            return tuple(msgspec.structs.replace(i, host=host.name) for i in host.driver.inventories())
        except NovaError as error:
            LOG.warning("the resources of host %s cannot be read: %s", host.name, error)
            return ()


def _lasting(found: tuple[HostInventory, ...]) -> list[HostInventory]:
    """Leave out what changes all the time."""
    return [msgspec.structs.replace(one, uptime=None) for one in found]
