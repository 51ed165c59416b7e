"""Faults for every workflow at every step, made from the workflow tables.

A case is one fault at one point of one step.  ``shooter`` carries cases out, ``trial`` runs them all at the
same time in one cloud and judges them.  What happens on hosts has its own table, in ``agents``.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from nova.conductor.engine import inject
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
    """A foreseen error, every time: the run fails; on its way back, it ends where it stands."""
    SOFT = "soft"
    """The step itself says that the run failed (how cases come to the way back)."""
    BUG = "bug"
    """A surprise, every time: the run fails after some tries; on its way back, it ends where it stands."""
    STUMBLE = "stumble"
    """A surprise, once: the step is carried out again."""
    CRASH = "crash"
    """The engine forgets the run, as a killed conductor would; the same one takes it up again."""
    TWICE = "twice"
    """A part of the step is carried out twice with the same input."""
    DELETE = "delete"
    """Its user deletes the server meanwhile."""
    CANCEL = "cancel"
    """The operator cancels the workflow."""
    SECOND = "second"
    """Its user asks for another action meanwhile."""
    DIE = "die"
    """The whole conductor dies here; another one takes over."""
    FREEZE = "freeze"
    """The whole conductor stands still here, another one takes over, then it thaws."""


ALONE = (
    Fault.FAIL,
    Fault.BUG,
    Fault.STUMBLE,
    Fault.CRASH,
    Fault.TWICE,
    Fault.DELETE,
    Fault.CANCEL,
    Fault.SECOND,
)
"""Faults of single runs: all of them may be tried in one cloud."""

_BACK = (inject.BEFORE_UNDO, inject.AFTER_UNDO)
_UNDO_SEND = (inject.BEFORE_UNDO_SEND, inject.AFTER_UNDO_SEND)
_UNDONE = (inject.BEFORE_UNDONE, inject.AFTER_UNDONE)
_SEND = (inject.BEFORE_SEND, inject.AFTER_SEND)
_SETTLE = (inject.BEFORE_SETTLE, inject.AFTER_SETTLE)
_ASK = (inject.BEFORE_ASK, inject.AFTER_ASK)
_COMMIT = (inject.BEFORE_COMMIT, inject.AFTER_COMMIT)
_DO = (inject.BEFORE_DO, inject.AFTER_DO)
EVERYWHERE = (*_ASK, *_DO, *_COMMIT, *_SEND, *_SETTLE, *_BACK, *_UNDO_SEND, *_UNDONE)
OUTSIDE = (*_ASK, *_COMMIT, *_SEND, *_UNDO_SEND)
"""Points at which no transaction is open."""
PARTS = ("ask", "do", "settle", "undo_ask", "undo", "undone")
"""The parts of a step; the points of ``TWICE`` and ``SOFT``."""
_WHERE: dict[Fault, tuple[str, ...]] = {
    Fault.FAIL: (*_DO, *_SETTLE, *_BACK, *_UNDONE),
    Fault.BUG: (inject.BEFORE_DO, inject.AFTER_SETTLE, inject.AFTER_UNDO, inject.AFTER_UNDONE),
    Fault.STUMBLE: (*_DO, *_SETTLE, *_BACK, *_UNDONE),
    Fault.CRASH: EVERYWHERE,
    Fault.TWICE: PARTS,
    Fault.DELETE: (*_ASK, *_COMMIT, *_SEND, inject.BEFORE_SETTLE, *_BACK, *_UNDONE),
    Fault.CANCEL: (*_ASK, *_COMMIT, *_SEND, *_UNDO_SEND),
    Fault.SECOND: (*_ASK, *_COMMIT, inject.BEFORE_SEND, inject.BEFORE_UNDO_SEND),
    Fault.DIE: EVERYWHERE,
    Fault.FREEZE: OUTSIDE,
}
_RAISING = (Fault.FAIL, Fault.BUG, Fault.STUMBLE)


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
    raises: bool
    """What fails first raises: the failure is known before the way back begins."""

    def __str__(self) -> str:
        return f"{self.kind}.{self.step}:{self.fault.value}@{self.point}"

    @property
    def is_open(self) -> bool:
        """Tell whether both ends are right: the failure may be forgotten before it was committed."""
        forgets = self.fault in (Fault.CRASH, Fault.DIE, Fault.STUMBLE, Fault.BUG)
        return self.goes_back and forgets and not self.raises

    @property
    def is_cancelled(self) -> bool:
        """Tell whether the operator's word ends it: nothing was done on a host yet, and it goes forward."""
        return self.fault is Fault.CANCEL and not self.goes_back and self.kind != "delete"

    @property
    def fails(self) -> bool:
        """Tell whether the run must end in failure."""
        return self.fault in (Fault.FAIL, Fault.BUG) or self.is_cancelled or self.goes_back


def cases(catalog: Sequence[type[Workflow]], faults: Iterable[Fault]) -> Iterator[Case]:
    """Make every case of these faults that the tables have a place for."""
    for workflow in catalog:
        for index, step in enumerate(workflow.steps):
            for fault in faults:
                for point in _WHERE[fault]:
                    if _has(step, index, fault, point):
                        yield Case(
                            kind=workflow.kind,
                            step=step.name,
                            fault=fault,
                            point=point,
                            goes_back=_is_back(step, point),
                            waits=step.settle is not None,
                            raises=fault in _RAISING and bool(step.settle or step.ask or index == 0),
                        )


def _is_back(step: Step, point: str) -> bool:
    if point in (*_ASK, "ask"):
        return step.ask is None
    return point in (*_BACK, *_UNDO_SEND, *_UNDONE, "undo", "undo_ask", "undone")


def _has(step: Step, index: int, fault: Fault, point: str) -> bool:
    if fault is Fault.TWICE:
        return getattr(step, point) is not None
    if point in _COMMIT:
        return index == 0 or step.ask is not None
    if point in _ASK:
        return step.ask is not None or step.undo_ask is not None
    if point in (*_SEND, *_SETTLE):
        return step.settle is not None
    if point in (*_UNDO_SEND, *_UNDONE):
        return step.undone is not None
    return True


def world_of(bench: Bench, conductor: int = 0) -> World:
    """Return the surroundings of a conductor in a cloud of this process."""
    conductors = [d for d in bench.cloud.daemons if d.name == "nova-conductor"]
    server: Any = conductors[conductor].parts.services[0]
    found: World = server.world
    return found


def spread(found: Iterable[Case], seed: int) -> list[Case]:
    """Choose one case of each fault of each step, another point with another seed."""
    by_fault: dict[tuple[str, str, Fault], list[Case]] = {}
    for case in found:
        by_fault.setdefault((case.kind, case.step, case.fault), []).append(case)
    return [some[seed % len(some)] for some in by_fault.values()]
