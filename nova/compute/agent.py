"""The agent: takes jobs of all hosts of this process, has them done in turn, reports how they ended."""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Callable, Iterable, Sequence

import msgspec

from nova.clock import Clock
from nova.compute.book import Active, Book
from nova.compute.filters import FilterUpdate
from nova.compute.host import BINARY, PATIENCE_S, TOPIC, Host, Means, context
from nova.compute.host_boot import HostBoot
from nova.compute.inventory import InventoryReport
from nova.compute.jobs import Worker
from nova.compute.observed import FullReport, PowerReport
from nova.compute.turns import Gate, Turns
from nova.conf.compute import ComputeConf
from nova.errors import NovaError
from nova.errors.rpc import InternalError, UnsupportedVersion
from nova.objects.host import ServiceBeat
from nova.objects.ids import HostName, InstanceId, JobId
from nova.objects.image import Image
from nova.objects.jobs import Build, Destroy, Job, Snapshot
from nova.objects.states import Power
from nova.workers import WorkerPool

LOG = logging.getLogger(__name__)

_AT_ONCE = 500
"""Outcomes in one report."""
_GREETINGS = 1000
"""Hosts in one question what they owe."""
_FAREWELL_S = 5.0
"""How long the end of the daemon waits for a conductor that does not answer."""
PULSE_S = 1.0
_STOOD_STILL_S = 10 * PULSE_S


def _nothing() -> None:
    pass


class Wakers(msgspec.Struct, frozen=True, kw_only=True):
    """What makes the agent's loops run soon."""

    report: Callable[[], None] = _nothing
    power: Callable[[], None] = _nothing
    filters: Callable[[], None] = _nothing


class Agent:
    """A service; its other public methods are the bodies of loops, or come from the endpoints."""

    def __init__(self, hosts: Sequence[Host], means: Means, boot: HostBoot, clock: Clock) -> None:
        self.hosts = {host.name: host for host in hosts}
        self.book = Book(clock)
        self.wake = Wakers()
        self.inventory = InventoryReport(hosts, means.conductor, clock, means.conf.full_report_interval_s)
        self.power = PowerReport(hosts, means.conductor, self.book, boot)
        self.full = FullReport(hosts, means.conductor, self.book, boot, clock, means.conf.power_interval_s)
        self.filters = FilterUpdate(hosts, means.conductor, clock)
        self._conductor = means.conductor
        self._means = means
        self._conf = means.conf
        self._clock = clock
        self._pulsing = threading.Lock()
        self._pulse_at = clock.monotonic()
        self._pool = WorkerPool("compute-jobs", means.conf.workers)
        self._turns = Turns(self._pool)
        self._worker = Worker(self.book, clock)

    def work_by(self, conf: ComputeConf) -> None:
        """Take over options; jobs at work end by the old ones, drivers keep theirs until a restart."""
        self._conf = self._means.conf = conf

    # -- jobs ----------------------------------------------------------------------------------------------

    def order(self, host: HostName, jobs: Iterable[Job]) -> None:
        """Take jobs; each is answered by a report, however often it comes."""
        self.pulse()
        here = self.hosts[host]
        for active in self.book.take(host, jobs):
            if isinstance(active.job.order, Destroy):
                # What waits to be built is built no more.
                self._turns.hurry(active.key)
            run = functools.partial(self._run, here, active)
            self._turns.submit(active.key, run, self._gate(active))
        self.wake.report()

    def cache_images(self, host: HostName, images: Iterable[Image]) -> None:
        """Fetch base images ahead of need, one after another; a build fetches what failed."""
        here = self.hosts[host]
        if here.needs_images:
            for image in images:
                self._turns.submit(("images", host), functools.partial(self._cache, here, image))

    def _cache(self, host: Host, image: Image) -> None:
        try:
            host.means.cache.fetch(image.id, image, host.name)
        except NovaError as error:
            LOG.warning("image %s could not be fetched ahead for %s: %s", image.id, host.name, error)

    def pulse(self) -> None:
        """Notice when this process stood still: what it holds, or gets now, may be long out of date."""
        with self._pulsing:  # whoever comes second, with a job, must find the doubts of the first
            now = self._clock.monotonic()
            still, self._pulse_at = now - self._pulse_at, now
            if still > _STOOD_STILL_S:
                LOG.warning("this process stood still for %.0f seconds", still)
                for host in self.hosts.values():
                    host.doubt(now + still + self._conf.verify_window_s)

    def _gate(self, active: Active) -> Gate | None:
        if isinstance(active.job.order, Build):
            return (active.host, "build"), self._conf.max_concurrent_builds
        if isinstance(active.job.order, Snapshot):
            return (active.host, "snapshot"), self._conf.max_concurrent_snapshots
        return None

    def _run(self, host: Host, active: Active) -> None:
        outcome = self._worker.do(host, active)
        if outcome is None:
            return
        heard = self.book.end(outcome)
        if heard is not None and heard is not outcome.power:
            # Something happened after the deed was done, or on its way.
            self.power.look(host.name, active.job.instance_id)
            self.wake.power()
        if isinstance(active.job.order, Build) and self.filters.built(host.name, active.job.instance_id):
            self.wake.filters()
        self.wake.report()

    def report(self, patience_s: float | None = None) -> str | None:
        """Tell the conductor how jobs ended, until it has taken all over."""
        told, most = 0, _AT_ONCE
        stuck: dict[JobId, InternalError] = {}
        while (outcomes := list(self.book.untold(most))) and outcomes[0].job_id not in stuck:
            try:
                self._conductor.report(context(patience_s), outcomes)
            except InternalError as error:
                # One that the conductor cannot take must not hold up the others: find it, let it wait.
                most = max(1, len(outcomes) // 2)
                if len(outcomes) == 1:
                    stuck[outcomes[0].job_id] = error
                    self.book.put_last(outcomes[0])
                continue
            self.book.told(outcomes)
            told += len(outcomes)
        if stuck:
            raise next(iter(stuck.values()))
        return f"{told} jobs told" if told else None

    def report_phases(self) -> str | None:
        """Tell about jobs that are in one phase for long; nothing is lost when that does not arrive."""
        outcomes = self.book.lasting_phases(self._conf.phase_delay_s)
        if outcomes:
            self._conductor.report(context(), outcomes)
        return f"{len(outcomes)} phases told" if outcomes else None

    # -- hosts ---------------------------------------------------------------------------------------------

    def connect(self) -> str | None:
        """Start drivers that are not started, and ask what the hosts owe; what fails comes again."""
        failed = []
        for host in self.hosts.values():
            try:
                self._start(host)
            except NovaError as error:
                failed.append(f"{host.name}: {error}")
        self._greet([host for host in self.hosts.values() if host.started and host.greeted_at is None])
        if failed:
            LOG.warning("%d hosts are not ready, such as %s", len(failed), failed[0])
        return f"{len(failed)} hosts not ready" if failed else None

    def _greet(self, hosts: Sequence[Host]) -> None:
        """Ask what hosts owe; a conductor that does not answer ends this run."""
        for start in range(0, len(hosts), _GREETINGS):
            part = hosts[start : start + _GREETINGS]
            asked_at = self._clock.monotonic()
            owed = self._owed([host.name for host in part])
            for host in part:
                jobs = owed.get(host.name, [])
                host.greeted(asked_at, jobs)
                self.order(host.name, jobs)

    def _owed(self, hosts: list[HostName]) -> dict[HostName, list[Job]]:
        if len(hosts) > 1:
            try:
                return self._conductor.owed_by(context(PATIENCE_S), hosts, TOPIC)
            except UnsupportedVersion:
                LOG.info("The conductor is of the release before: it is asked host by host what they owe")
        return {host: self._conductor.owed(context(PATIENCE_S), host, TOPIC) for host in hosts}

    def is_ready(self) -> bool:
        """Tell whether there is a host to serve, after having tried to get them all ready."""
        self.connect()
        return any(host.started and host.greeted_at is not None for host in self.hosts.values())

    def _start(self, host: Host) -> None:
        if not host.started:
            host.driver.start(functools.partial(self._hear, host.name))
            host.started = True

    def _hear(self, host: HostName, instance: InstanceId, power: Power) -> None:
        if self.power.hear(host, instance, power):
            self.wake.power()

    def filters_changed(self, host: HostName, instances: Iterable[InstanceId]) -> None:
        """Have the packet filters of guests brought up to date."""
        self.filters.note(host, instances)
        self.wake.filters()

    def beat(self) -> None:
        """Say that the hosts whose hypervisor answers live; one message for all."""
        beats = [
            ServiceBeat(host=host.name, binary=BINARY, topic=TOPIC)
            for host in self.hosts.values()
            if host.started
        ]
        if beats:
            self._conductor.heartbeat(context(), beats)

    # -- life ----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Nothing to begin: endpoints and loops do everything."""

    def stop(self, timeout_s: float) -> bool:
        """Finish what was begun and tell it; what was not begun is still owed after the next start."""
        self._pool.unstarted()
        finished = self._pool.drain(min(timeout_s, self._conf.drain_s))
        self._pool.stop()
        try:
            self.report(_FAREWELL_S)
        except NovaError as error:
            LOG.warning("the last reports did not arrive; the conductor will ask: %s", error)
            finished = False
        for host in self.hosts.values():
            if host.started:
                host.driver.stop()
                host.started = False
        return finished
