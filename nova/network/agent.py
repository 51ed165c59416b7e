"""The agent: does jobs and heals, by bringing the host to the conductor's truth.

A job is never more than a wish to be up to date: all jobs that wait are answered by one look at the truth
and one pass over the host, however many they are.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Protocol

import msgspec

from nova import ids
from nova.clock import Clock
from nova.context import RequestContext
from nova.errors import BadRequest, NovaError
from nova.errors.network import NetworkNotHere
from nova.network.jobs import JobBook
from nova.network.leases import LeaseEvent, LeaseListener, Leases
from nova.network.linux.machine import Applied
from nova.network.options import NetworkOptions
from nova.network.plan import HostPlan, make_plan
from nova.objects.holdings import NetworkHoldings
from nova.objects.ids import HostName, NetworkId
from nova.objects.jobs import Job, JobOutcome, ServeNetworks, Verdict
from nova.objects.network import NetworkState, Topology

_LOG = logging.getLogger(__name__)

TOPIC = "network"
_PATIENCE_S = 15.0
"""How long a look at the truth may take; what can be healed without it must not wait for ever."""


class Conductor(Protocol):
    """What the agent asks and tells (a part of the conductor's contract ``Reports``)."""

    def network_state(self, ctx: RequestContext, host: HostName) -> NetworkState: ...

    def report(self, ctx: RequestContext, outcomes: list[JobOutcome]) -> None: ...

    def owed(self, ctx: RequestContext, host: HostName, topic: str) -> list[Job]: ...

    def lease_changed(
        self, ctx: RequestContext, address: str, mac: str, leased: bool, host: HostName
    ) -> None: ...


class Host(Protocol):
    """The machine, as the agent uses it."""

    def apply(self, plan: HostPlan, *, look: bool) -> Applied: ...

    def holdings(self, host: HostName) -> NetworkHoldings: ...


def _nothing() -> None:
    pass


class Wakers(msgspec.Struct, frozen=True, kw_only=True):
    """What makes the agent's loops run soon."""

    serve: Callable[[], None] = _nothing
    report: Callable[[], None] = _nothing
    heal: Callable[[], None] = _nothing


class Agent:
    """Keeps one host's networks.  Its public methods are the bodies of loops and may come at any time."""

    def __init__(
        self,
        host: HostName,
        conductor: Conductor,
        machine: Host,
        options: NetworkOptions,
        clock: Clock,
    ) -> None:
        self.host = host
        self.book = JobBook(host)
        self.leases = Leases(self._tell_lease, clock, lease_time_s=options.dhcp_lease_time)
        self.wake = Wakers()
        self.listener: LeaseListener | None = None
        """Started before the first DHCP service; none: leases are not told (tests of other parts)."""
        self._listening = False
        self._conductor = conductor
        self._machine = machine
        self._options = options
        self._one_at_a_time = threading.Lock()
        self._state: NetworkState | None = None

    def work_by(self, options: NetworkOptions) -> None:
        """Take over options and look at the host; paths and programs stay until a restart."""
        with self._one_at_a_time:
            self._options = options
        self.wake.heal()

    def greet(self) -> None:
        """Ask the conductor which jobs are still wanted of this host, and take them."""
        self.order(self._conductor.owed(_context(), self.host, TOPIC))

    def order(self, jobs: list[Job]) -> None:
        """Take jobs; they are done soon and answered by a report."""
        if self.book.order(jobs):
            self.wake.serve()
            self.wake.report()

    def serve(self) -> str | None:
        """Do all jobs that wait, together."""
        with self._one_at_a_time:
            # Read before the truth is asked: the truth covers at least these.
            jobs = self.book.waiting()
            if not jobs:
                return None
            if self._needs_nothing(jobs):
                outcomes = [self.book.outcome(job, Verdict.DONE) for job in jobs]
            else:
                outcomes = self._outcomes(jobs, self._bring_up_to_date(look=False))
            self.book.end(outcomes)
        self.wake.report()
        return f"{len(jobs)} jobs"

    def heal(self) -> str | None:
        """Look at the whole host and repair it; without a conductor, after the truth known last."""
        with self._one_at_a_time:
            try:
                applied = self._bring_up_to_date(look=True)
            except NovaError:
                if self._state is None:
                    raise
                applied = self._apply(self._state, look=True)
        for change in applied.changes:
            _LOG.info("%s", change)
        return "; ".join([*applied.changes, *(str(error) for error in applied.failed.values())]) or None

    def report(self) -> str | None:
        """Tell the conductor how jobs ended and who has a lease, until it took that over."""
        outcomes = self.book.untold()
        if outcomes:
            self._conductor.report(_context(), outcomes)
            self.book.told(outcomes)
        leases = self.leases.flush()
        return f"{len(outcomes)} jobs told" if outcomes else leases

    def holdings(self) -> NetworkHoldings:
        """Tell what this host serves."""
        found = self._machine.holdings(self.host)
        return msgspec.structs.replace(found, at_work=bool(self.book.waiting() or self.book.untold()))

    def start(self) -> None:
        """Nothing to begin: the loops do everything."""

    def stop(self, timeout_s: float) -> bool:
        """Listen for leases no more.  The host is left as it is: guests keep their network."""
        if self.listener is not None and self._listening:
            self._listening = False
            return self.listener.stop(timeout_s)
        return True

    def _bring_up_to_date(self, *, look: bool) -> Applied:
        state = self._conductor.network_state(_context(), self.host)
        self._state = state
        return self._apply(state, look=look)

    def _apply(self, state: NetworkState, *, look: bool) -> Applied:
        self.leases.learn(state.fixed_ips)
        plan = make_plan(state, self._options, self.host)
        if plan.dhcp and self.listener is not None and not self._listening:
            # dnsmasq asks for its leases while it starts.
            self.listener.start()
            self._listening = True
        applied = self._machine.apply(plan, look=look)
        if not look and applied.failed.keys() - plan.refused.keys():
            # Somebody changed what we took for granted: look before anybody is told of a failure.
            applied = self._machine.apply(plan, look=True)
        return applied

    def _needs_nothing(self, jobs: list[Job]) -> bool:
        """Tell whether all that is asked for is networks of which nothing is made anywhere."""
        if self._state is None:
            return False
        on_paper = {n.id for n in self._state.networks if n.topology is Topology.NONE}
        return all(isinstance(j.order, ServeNetworks) and on_paper.issuperset(j.order.networks) for j in jobs)

    def _outcomes(self, jobs: list[Job], applied: Applied) -> list[JobOutcome]:
        known = frozenset(n.id for n in self._state.networks) if self._state is not None else frozenset()
        return [self._outcome(job, applied, known) for job in jobs]

    def _outcome(self, job: Job, applied: Applied, known: frozenset[NetworkId]) -> JobOutcome:
        if not isinstance(job.order, ServeNetworks):
            error: NovaError = BadRequest(reason=f"nova-network does no {type(job.order).__name__}")
            return self._failed(job, error)
        for network in job.order.networks:
            if network not in known:
                return self._failed(job, NetworkNotHere(network=network, host=self.host))
            if network in applied.failed:
                return self._failed(job, applied.failed[network])
        return self.book.outcome(job, Verdict.DONE)

    def _failed(self, job: Job, error: NovaError) -> JobOutcome:
        name, facts = error.to_wire()
        return self.book.outcome(job, Verdict.FAILED, (name, facts))

    def _tell_lease(self, event: LeaseEvent) -> None:
        self._conductor.lease_changed(_context(), event.address, event.mac, event.leased, self.host)


def _context() -> RequestContext:
    return RequestContext(
        request_id=ids.new_request_id(), is_admin=True, roles=("admin",), timeout_s=_PATIENCE_S
    )
