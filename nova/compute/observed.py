"""Reports what guests are: what hypervisors say at once, and now and then every guest of a host."""

from __future__ import annotations

import heapq
import logging
import threading
from collections.abc import Sequence

from nova.clock import Clock
from nova.compute.book import Book, Key
from nova.compute.host import Conductor, Host, context
from nova.compute.host_boot import HostBoot
from nova.errors import NovaError
from nova.errors.virt import GuestNotFound
from nova.objects.host import ObservedGuest
from nova.objects.ids import HostName, InstanceId
from nova.objects.states import Power
from nova.virt.capabilities import HostFilters

LOG = logging.getLogger(__name__)

_FIRST_ROUND_S = 30.0
"""Within this all hosts of the process are reported for the first time."""
_AGAIN_S = 10.0


class PowerReport:
    """What hypervisors say of single guests, told soon."""

    def __init__(self, hosts: Sequence[Host], conductor: Conductor, book: Book, boot: HostBoot) -> None:
        self._hosts = {host.name: host for host in hosts}
        self._conductor = conductor
        self._book = book
        self._boot = boot
        self._lock = threading.Lock()
        self._news: set[Key] = set()

    def hear(self, host: HostName, instance: InstanceId, power: Power) -> bool:
        """Note what a hypervisor says; False when a job at work on the guest will tell it."""
        if self._book.overhear(host, instance, power):
            return False
        self.look(host, instance)
        return True

    def look(self, host: HostName, instance: InstanceId) -> None:
        """Have a guest's state read and told."""
        with self._lock:
            self._news.add((host, instance))

    def run(self) -> str | None:
        """Read the guests there is news of and tell what they are now."""
        with self._lock:
            news, self._news = self._news, set()
        by_host: dict[HostName, list[InstanceId]] = {}
        for host, instance in news:
            # A job that began meanwhile tells it itself.
            if not self._book.is_busy(host, instance):
                by_host.setdefault(host, []).append(instance)
        told = 0
        try:
            for host, instances in by_host.items():
                guests = self._boot.marked(host, self._read(self._hosts[host], instances))
                if guests:
                    self._conductor.observed(context(), host, guests, False)
                told += len(guests)
        except NovaError:
            with self._lock:
                self._news |= news
            raise
        return f"{told} guests told" if told else None

    def _read(self, host: Host, instances: Sequence[InstanceId]) -> list[ObservedGuest]:
        found = []
        for instance in instances:
            try:
                found.append(ObservedGuest(instance_id=instance, power=host.driver.power_state(instance)))
            except GuestNotFound:
                continue  # destroyed meanwhile
        return found


class FullReport:
    """Every guest of every host, host after host; the packet filters of the guests on the way."""

    def __init__(
        self,
        hosts: Sequence[Host],
        conductor: Conductor,
        book: Book,
        boot: HostBoot,
        clock: Clock,
        interval_s: float,
    ) -> None:
        self._conductor = conductor
        self._book = book
        self._boot = boot
        self._clock = clock
        self._interval_s = interval_s
        now = clock.monotonic()
        step = min(_FIRST_ROUND_S, interval_s) / len(hosts)
        self._due = [(now + number * step, number, host) for number, host in enumerate(hosts)]

    def run(self) -> str | None:
        """Report the hosts whose time has come."""
        told = 0
        while self._due and self._due[0][0] <= self._clock.monotonic():
            due, number, host = heapq.heappop(self._due)
            pause = self._interval_s
            try:
                self._report(host)
                told += 1
            except NovaError as error:
                LOG.warning("the guests of host %s could not be reported: %s", host.name, error)
                pause = min(_AGAIN_S, pause)
            finally:
                heapq.heappush(self._due, (max(due, self._clock.monotonic()) + pause, number, host))
        return f"{told} hosts told" if told else None

    def _report(self, host: Host) -> None:
        if not host.started:
            return
        guests = self._boot.marked(host.name, list(host.driver.guests()))
        unknown = self._conductor.observed(context(), host.name, guests, True)
        self._boot.told(host.name)
        for instance in unknown:
            if not self._book.is_busy(host.name, instance):
                # Whether it is to go is for people to say: the truth may have been lost, not the guest.
                LOG.warning("host %s has a guest that should not be there: %s", host.name, instance)
        if guests and isinstance(host.driver, HostFilters):
            host.driver.apply_filters(self._conductor.guest_filters(context(), host.name, None))
