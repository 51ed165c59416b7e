"""Carries out the faults of :mod:`tests.support.workflows`: listens at the engine's points and in the steps.

A server is armed with a chain of shots: at this point of this step, do this.  The points tell which instances
they are passed with, so all cases run at the same time in one cloud.
"""

from __future__ import annotations

import collections
import copy
import dataclasses
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import msgspec

from nova.conductor.engine import inject
from nova.conductor.engine.coalesce import Coalescer
from nova.conductor.engine.inject import Crash
from nova.conductor.engine.step import Run, Step, Workflow
from nova.conductor.world import World
from nova.errors.rpc import InternalError
from nova.objects.jobs import JobOutcome
from tests.support.workflows import PARTS, Case, Fault, Told


@dataclasses.dataclass
class Shot:
    """What waits at a point, or in a part of a step, for one server."""

    kind: str
    step: str
    point: str
    fault: Fault
    times: int = 1


class Armed:
    """A case and the server it is tried on."""

    def __init__(self, case: Case, conductors: int = 1) -> None:
        self.case = case
        self.server = ""
        self.shots = collections.deque(_chain(case, conductors))
        self.hit = False
        """The first shot was fired, and will be again."""
        self.answers: list[Any] = []
        """What its user or operator was told."""
        self.problems: list[str] = []

    @property
    def fired(self) -> bool:
        """Tell whether all shots were fired; the last one perhaps less often than it might."""
        return not self.shots or (len(self.shots) == 1 and self.hit)

    def shot(self, point: str, kind: str, step: str) -> Shot | None:
        """Return what may be fired here; once the way back has begun, what led to it is dropped."""
        for number, shot in enumerate(self.shots):
            if (shot.point, shot.kind, shot.step) == (point, kind, step):
                if number:
                    self.shots.popleft()
                    self.hit = False
                return shot
            if not self.hit:
                break
        return None

    def fire(self, shot: Shot) -> None:
        """Note that the first shot is fired."""
        shot.times -= 1
        self.hit = True
        if not shot.times:
            self.shots.popleft()
            self.hit = False


def _chain(case: Case, conductors: int) -> Iterator[Shot]:
    # A report that comes twice may be settled by another conductor before the first has written down that it
    # failed; so each of them fails it.
    if case.goes_back and case.raises:
        point = inject.BEFORE_SETTLE if case.waits else inject.AFTER_DO
        yield Shot(case.kind, case.step, point, Fault.FAIL, conductors)
    elif case.goes_back:
        yield Shot(case.kind, case.step, "settle" if case.waits else "do", Fault.SOFT, conductors)
    tries = _TRIES if case.fault is Fault.BUG or (case.goes_back and case.fault is Fault.FAIL) else 1
    # Each conductor counts for itself.
    yield Shot(case.kind, case.step, case.point, case.fault, tries * conductors if tries > 1 else 1)


@dataclasses.dataclass
class Hands:
    """What a shooter may do to a cloud; each is called with a server's id."""

    delete: Callable[[str], Any]
    cancel: Callable[[str], Any]
    second: Callable[[str], Any]


_Part = Callable[..., None]
_TRIES = 3
"""How often surprises, and failures on the way back, are tried again (``trial.hurried`` sees to it)."""
_LAST = (Fault.DIE, Fault.FREEZE)
_ASYNC_AT = frozenset(
    {
        inject.BEFORE_DO,
        inject.AFTER_DO,
        inject.BEFORE_SETTLE,
        inject.AFTER_SETTLE,
        inject.BEFORE_UNDO,
        inject.AFTER_UNDO,
        inject.BEFORE_UNDONE,
        inject.AFTER_UNDONE,
    }
)
"""Points within a transaction: who asks for something there must not be waited for."""


class Shooter:
    """Listens at the points of conductors' engines, and in the parts of their steps."""

    def __init__(self, hands: Hands) -> None:
        self._hands = hands
        self._guard = threading.Lock()
        self._by_server: dict[str, Armed] = {}
        self.waiting: collections.deque[Armed] = collections.deque()
        """Cases of boots: each is given the next server that appears."""
        self.asking: set[str] = set()
        """Servers for which somebody asks for something at this moment."""
        self.thaw = threading.Event()
        self.dead: set[str] = set()
        """Servers whose conductor died, or stands still, at their point."""

    def arm(self, server: str, armed: Armed) -> None:
        """Aim at a server that is there."""
        with self._guard:
            armed.server = server
            self._by_server[server] = armed

    def disarm(self) -> None:
        """Let everything go well from now on."""
        with self._guard:
            self._by_server.clear()
            self.waiting.clear()
            self.dead.clear()

    def attach(self, world: World) -> None:
        """Listen at the engine of a conductor."""
        engine: Any = world.engine
        engine._catalog = self.wrapped(engine._catalog.values())
        engine._reports = Coalescer(engine._take_reports, most=1)
        engine.report = self._one_by_one(engine.report)
        world.points.listener = self

    def _one_by_one(self, report: Callable[[Sequence[JobOutcome]], None]) -> Callable[..., None]:
        """Have each report taken for itself: what befalls one server shall not befall its neighbours."""

        def heard(outcomes: Sequence[JobOutcome]) -> None:
            refused: Exception | None = None
            for outcome in outcomes:
                try:
                    if outcome.instance_id in self.dead:
                        raise InternalError(request_id="of the dead")
                    report([outcome])
                except Exception as error:  # raised below
                    refused = error
            if refused is not None:
                raise refused

        return heard

    # -- points -----------------------------------------------------------------------------------------

    def __call__(self, point: str, kind: str, step: str, instances: list[str]) -> None:
        """Fire what waits here."""
        for instance in instances:
            found = self._taken(point, kind, step, instance, alone=len(instances) == 1)
            if found is None:
                continue
            armed, fault = found
            if fault is Fault.FAIL:
                raise Told
            if fault in (Fault.STUMBLE, Fault.BUG):
                raise RuntimeError("the test wanted a surprise")
            if fault in (Fault.CRASH, Fault.DIE):
                raise Crash
            if fault is Fault.FREEZE:
                self.thaw.wait()
            elif fault is not Fault.SOFT and fault is not Fault.TWICE:
                self._ask(armed, fault, wait=point not in _ASYNC_AT)

    def _ask(self, armed: Armed, fault: Fault, *, wait: bool) -> None:
        hand = {
            Fault.DELETE: self._hands.delete,
            Fault.CANCEL: self._hands.cancel,
            Fault.SECOND: self._hands.second,
        }[fault]
        self.asking.add(armed.server)

        def ask() -> None:
            try:
                armed.answers.append(hand(armed.server))
            except Exception as error:  # told by the test that judges the case
                armed.problems.append(f"{fault.value}: {error!r}")
            finally:
                self.asking.discard(armed.server)

        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        if wait:
            thread.join(60)

    def _taken(
        self, point: str, kind: str, step: str, instance: str, *, alone: bool = True
    ) -> tuple[Armed, Fault] | None:
        with self._guard:
            armed = self._by_server.get(instance)
            if armed is None and kind == "boot" and self.waiting:
                armed = self.waiting.popleft()
                armed.server = instance
                self._by_server[instance] = armed
            shot = armed.shot(point, kind, step) if armed is not None else None
            if armed is None or shot is None:
                return None
            if shot.fault in _LAST:
                self.dead.add(instance)
            if alone or shot.fault is not Fault.STUMBLE:  # a batch that stumbles is gone through again
                armed.fire(shot)
            return armed, shot.fault

    # -- steps ------------------------------------------------------------------------------------------

    def wrapped(self, catalog: Iterable[type[Workflow]]) -> dict[str, type[Workflow]]:
        """Return workflows whose parts fail, or are carried out twice, as the cases want it."""
        return {
            workflow.kind: type(
                workflow.__name__,
                (workflow,),
                {"steps": tuple(self._step(workflow.kind, step) for step in workflow.steps)},
            )
            for workflow in catalog
        }

    def _step(self, kind: str, step: Step) -> Step:
        parts: dict[str, Any] = {
            name: self._part(kind, step.name, name, getattr(step, name), step.undo or step.undo_ask)
            for name in PARTS
            if getattr(step, name) is not None
        }
        return msgspec.structs.replace(step, **parts)

    def _part(self, kind: str, step: str, name: str, part: _Part, undo: _Part | None) -> _Part:
        def carry_out(*args: Any) -> None:
            runs: Sequence[Run] = args[-1]
            found = [(run, self._taken(name, kind, step, run.row.instance_id)) for run in runs]
            twice = [(run, taken[0]) for run, taken in found if taken and taken[1] is Fault.TWICE]
            if twice:
                first = [_copy(run) for run, _ in twice]
                part(*args[:-1], first)
                for (run, armed), done in zip(twice, first, strict=True):
                    if run.error is None and done.error is not None:
                        armed.problems.append(f"the first time, {name} failed: {done.error}")
            soft = [run for run, taken in found if taken is not None and taken[1] is Fault.SOFT]
            # A report of a failure settles nothing; what nothing takes back was not done by a failed step.
            undone = soft if undo is None or name == "settle" else []
            left = [run for run in runs if run not in undone]
            if left:
                part(*args[:-1], left)
            for run in soft:
                run.fail(Told())

        return carry_out


def _copy(run: Run) -> Run:
    twin = run.fresh()
    twin.notes = copy.deepcopy(run.notes)
    return twin
