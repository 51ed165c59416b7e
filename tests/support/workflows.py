"""Faults for every workflow at every step, made from the workflow tables.

A case arms one server with a chain of shots: at this point of this step, do this.  The points tell which
instances they are passed with, so all cases run at the same time in one cloud.
"""

from __future__ import annotations

import collections
import dataclasses
import enum
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from nova.conductor.engine import inject
from nova.conductor.engine.inject import Crash
from nova.conductor.engine.step import Step, Workflow
from nova.conductor.world import World
from nova.errors import NovaError
from tests.support.cloud import Bench


class Told(NovaError):
    """The foreseen failure that tests raise."""

    template = "The test wanted this to fail."


class Fault(enum.Enum):
    """What happens at a point."""

    FAIL = "fail"
    """A foreseen error: the run fails."""
    BUG = "bug"
    """A surprise, every time: the run fails after some tries."""
    STUMBLE = "stumble"
    """A surprise, once: the step is carried out again."""
    CRASH = "crash"
    """The engine forgets the run, as a killed conductor would."""
    DELETE = "delete"
    """Its user deletes the server meanwhile."""


FAILS_AT = (inject.BEFORE_DO, inject.AFTER_DO, inject.BEFORE_SETTLE, inject.AFTER_SETTLE)
BUGS_AT = (inject.BEFORE_DO, inject.AFTER_SETTLE)
STUMBLES_AT = (inject.BEFORE_DO, inject.BEFORE_SETTLE, inject.BEFORE_UNDO, inject.AFTER_UNDO)
DELETES_AT = (inject.BEFORE_ASK, inject.BEFORE_COMMIT, inject.AFTER_COMMIT, inject.BEFORE_SETTLE)
CRASHES_AT = (
    inject.BEFORE_ASK,
    inject.AFTER_ASK,
    inject.BEFORE_DO,
    inject.AFTER_DO,
    inject.BEFORE_COMMIT,
    inject.AFTER_COMMIT,
    inject.BEFORE_SEND,
    inject.AFTER_SEND,
    inject.BEFORE_SETTLE,
    inject.AFTER_SETTLE,
    inject.BEFORE_UNDO,
    inject.AFTER_UNDO,
)
_WHERE = {
    Fault.FAIL: FAILS_AT,
    Fault.BUG: BUGS_AT,
    Fault.STUMBLE: STUMBLES_AT,
    Fault.CRASH: CRASHES_AT,
    Fault.DELETE: DELETES_AT,
}


@dataclasses.dataclass(frozen=True)
class Case:
    """One fault at one point of one step of one workflow."""

    kind: str
    step: str
    fault: Fault
    point: str
    goes_back: bool
    """The step is failed first: the point lies on the way back."""
    waits: bool
    """The step waits for a report, whose settling is what fails first."""

    def __str__(self) -> str:
        return f"{self.kind}.{self.step}:{self.fault.value}@{self.point}"

    @property
    def fails(self) -> bool:
        """Tell whether the run must end in failure."""
        return self.fault in (Fault.FAIL, Fault.BUG) or (self.goes_back and not self.is_open)

    @property
    def is_open(self) -> bool:
        """Tell whether both ends are right: the failure may be forgotten before it was committed."""
        forgets = self.fault is Fault.CRASH or (self.fault is Fault.STUMBLE and self.waits)
        return self.goes_back and forgets


def cases(catalog: Sequence[type[Workflow]]) -> Iterator[Case]:
    """Make every case that the tables have a place for."""
    for workflow in catalog:
        for index, step in enumerate(workflow.steps):
            for fault, points in _WHERE.items():
                for point in points:
                    if _has(step, index, point):
                        yield Case(
                            kind=workflow.kind,
                            step=step.name,
                            fault=fault,
                            point=point,
                            goes_back=point in (inject.BEFORE_UNDO, inject.AFTER_UNDO)
                            or (point in (inject.BEFORE_ASK, inject.AFTER_ASK) and step.ask is None),
                            waits=step.settle is not None,
                        )


def _has(step: Step, index: int, point: str) -> bool:
    if point in (inject.BEFORE_COMMIT, inject.AFTER_COMMIT):
        return index == 0 or step.ask is not None
    if point in (inject.BEFORE_ASK, inject.AFTER_ASK):
        return step.ask is not None or step.undo_ask is not None
    if point in (inject.BEFORE_SEND, inject.AFTER_SEND, inject.BEFORE_SETTLE, inject.AFTER_SETTLE):
        return step.settle is not None
    return True


@dataclasses.dataclass
class Shot:
    """What waits at a point for one server."""

    kind: str
    step: str
    point: str
    fault: Fault


class Armed:
    """A case and the server it is tried on."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.server = ""
        self.shots = collections.deque(_chain(case))
        self.begun = False
        self.failed = False

    @property
    def fired(self) -> bool:
        """Tell whether all shots were fired."""
        return not self.shots or (self.failed and len(self.shots) == 1)

    def shot(self, point: str) -> Shot | None:
        """Return what may be fired here.  A failure stands until the shot after it has its turn."""
        if self.failed and len(self.shots) > 1 and self.shots[1].point == point:
            self.shots.popleft()
            self.failed = False
        return self.shots[0] if self.shots and self.shots[0].point == point else None


def _chain(case: Case) -> Iterator[Shot]:
    if case.goes_back:
        first = inject.BEFORE_SETTLE if case.waits else inject.AFTER_DO
        yield Shot(case.kind, case.step, first, Fault.FAIL)
    yield Shot(case.kind, case.step, case.point, case.fault)


class Shooter:
    """Listens at the points of a conductor's engine."""

    def __init__(self, delete: Callable[[str], None]) -> None:
        self._delete = delete
        self._guard = threading.Lock()
        self._by_server: dict[str, Armed] = {}
        self.waiting: collections.deque[Armed] = collections.deque()
        """Cases of boots: each is given the next server that appears."""
        self.deleting: set[str] = set()

    def arm(self, server: str, armed: Armed) -> None:
        """Aim at a server that is there."""
        with self._guard:
            armed.server = server
            self._by_server[server] = armed

    def __call__(self, point: str, kind: str, step: str, instances: list[str]) -> None:
        """Fire what waits here."""
        for instance in instances:
            fault = self._fault(point, kind, step, instance, alone=len(instances) == 1)
            if fault is Fault.FAIL:
                raise Told
            if fault in (Fault.STUMBLE, Fault.BUG):
                raise RuntimeError("the test wanted a surprise")
            if fault is Fault.CRASH:
                raise Crash
            if fault is Fault.DELETE:
                self.deleting.add(instance)
                threading.Thread(target=self._delete_one, args=(instance,), daemon=True).start()

    def _delete_one(self, instance: str) -> None:
        try:
            self._delete(instance)
        finally:
            self.deleting.discard(instance)

    def _fault(self, point: str, kind: str, step: str, instance: str, *, alone: bool) -> Fault | None:
        with self._guard:
            armed = self._by_server.get(instance)
            if armed is None and kind == "boot" and self.waiting:
                armed = self.waiting.popleft()
                armed.server = instance
                self._by_server[instance] = armed
            shot = armed.shot(point) if armed is not None else None
            if armed is None or shot is None:
                return None
            if point in (inject.BEFORE_SEND, inject.AFTER_SEND):
                if not self._at_step(armed, shot):
                    return None
            elif (shot.kind, shot.step) != (kind, step):
                return None
            if shot.fault in (Fault.FAIL, Fault.BUG):
                armed.failed = True
            elif alone or shot.fault is not Fault.STUMBLE:  # a batch that stumbles is gone through again
                armed.shots.popleft()
            return shot.fault

    @staticmethod
    def _at_step(armed: Armed, shot: Shot) -> bool:
        """A send names topic and host; servers of these cases have one waiting step before any other."""
        return armed.begun or shot.kind == "boot"


def world_of(bench: Bench) -> World:
    """Return the conductor's surroundings in a cloud of this process."""
    conductor = next(d for d in bench.cloud.daemons if d.name == "nova-conductor")
    server: Any = conductor.parts.services[0]
    found: World = server.world
    return found
