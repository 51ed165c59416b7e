"""Deaths of agents for every order there is, made from the orders and the table of actions.

All cases stand at their points at the same time, as threads of one process do; then the process is gone and
another one starts on the same hosts.
"""

from __future__ import annotations

import dataclasses
import enum
import threading
import typing
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from nova.context import RequestContext
from nova.daemon import Daemon
from nova.errors.rpc import InternalError
from nova.lifecycle.actions import ACTIONS, Action
from nova.objects import jobs
from nova.objects.jobs import JobOutcome
from nova.objects.states import Vm


class Point(enum.Enum):
    """Where an agent dies."""

    BEFORE_DEED = "before_deed"
    AFTER_DEED = "after_deed"
    BEFORE_REPORT = "before_report"
    AFTER_REPORT = "after_report"
    """The conductor has the report, the agent does not know it."""


_WORKFLOWS: dict[type, str] = {
    jobs.Build: "boot",
    jobs.Destroy: "delete",
    jobs.Act: "act",
    jobs.Snapshot: "snapshot",
    jobs.ServeNetworks: "boot",
}
"""Which workflow gives an order: an order that is not here fails the tests."""


@dataclasses.dataclass(frozen=True)
class Case:
    """The death of an agent at a point of an order that an action leads to."""

    order: type
    action: Action
    point: Point

    def __str__(self) -> str:
        return f"{self.order.__name__}-{self.action.name}@{self.point.value}"

    @property
    def on_network(self) -> bool:
        """Tell whether it is nova-network that dies."""
        return self.order is jobs.ServeNetworks

    @property
    def end(self) -> Vm:
        """Return where the server must be in the end: nobody sees that an agent died."""
        return self.action.done or Vm.ACTIVE

    def preparation(self) -> Action | None:
        """Return the action that brings an active server where this one is allowed."""
        if Vm.ACTIVE in self.action.vm or self.action.name == "create":
            return None
        return next(
            a
            for a in ACTIONS.values()
            if a.workflow == "act" and Vm.ACTIVE in a.vm and a.done in self.action.vm
        )


def cases() -> Iterator[Case]:
    """Make every case."""
    for order in typing.get_args(jobs.Order):
        for action in ACTIONS.values():
            if action.workflow == _WORKFLOWS[order]:
                for point in Point:
                    yield Case(order, action, point)


class Died(SystemExit):
    """Ends a thread of a process that is gone, without a word."""


class Grave:
    """Where the threads of dead agents stand; ``opened`` in the end, so that nothing is left."""

    def __init__(self) -> None:
        self._armed: dict[str, Case] = {}
        self._opened = threading.Event()
        self.guard = threading.Lock()
        """Held while a server is asked for and armed: its job waits at the first point."""
        self.stood: set[Case] = set()

    def arm(self, server: str, case: Case) -> None:
        """Let the agent die at the order of this server."""
        self._armed[server] = case

    def dies(self, server: str, order: type | None, point: Point) -> bool:
        """Tell whether somebody dies here; ``order`` none: whatever the order is."""
        with self.guard:
            case = self._armed.get(server)
        return case is not None and case.point is point and order in (None, case.order)

    def stand(self, server: str) -> None:
        """Note that a point was come to."""
        self.stood.add(self._armed[server])

    def lie(self, server: str) -> None:
        """Come to a point and never go on."""
        self.stand(server)
        self._opened.wait()
        raise Died

    def open(self) -> None:
        """Let all threads end."""
        self._opened.set()


class Mouth:
    """What an agent tells the conductor; reports of those who die before are not sent."""

    def __init__(self, grave: Grave, inner: Any) -> None:
        self._grave = grave
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def report(self, ctx: RequestContext, outcomes: Sequence[JobOutcome]) -> None:
        """Send what can be sent; the agent does not learn that a report arrived after which it dies."""
        told = [o for o in outcomes if not self._grave.dies(o.instance_id, None, Point.BEFORE_REPORT)]
        if told:
            self._inner.report(ctx, told)
        lost = [o for o in outcomes if o not in told]
        lost += [o for o in told if self._grave.dies(o.instance_id, None, Point.AFTER_REPORT)]
        for outcome in lost:
            self._grave.stand(outcome.instance_id)
        if lost:
            raise InternalError(request_id="of the dead")


def watch_compute(grave: Grave, daemon: Daemon) -> None:
    """Let a nova-compute die at its points."""
    agent: Any = daemon.parts.services[0]
    agent._conductor = Mouth(grave, agent._conductor)
    deed: Callable[[Any], Any] = agent._worker._deed

    def mortal(attempt: Any) -> Any:
        server, order = attempt.job.instance_id, type(attempt.job.order)
        if grave.dies(server, order, Point.BEFORE_DEED):
            grave.lie(server)
        power = deed(attempt)
        if grave.dies(server, order, Point.AFTER_DEED):
            grave.lie(server)
        return power

    agent._worker._deed = mortal


def watch_network(grave: Grave, daemon: Daemon) -> None:
    """Let a nova-network, which does all its jobs at once, die at the point of the one it gets."""
    agent: Any = daemon.parts.services[1]
    agent._conductor = Mouth(grave, agent._conductor)
    apply: Callable[..., Any] = agent._machine.apply

    def mortal(plan: Any, *, look: bool) -> Any:
        servers = [job.instance_id for job in agent.book.waiting()]
        for server in servers:
            if grave.dies(server, jobs.ServeNetworks, Point.BEFORE_DEED):
                grave.lie(server)
        applied = apply(plan, look=look)
        for server in servers:
            if grave.dies(server, jobs.ServeNetworks, Point.AFTER_DEED):
                grave.lie(server)
        return applied

    agent._machine.apply = mortal
