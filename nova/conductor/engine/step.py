"""What a workflow is made of.

A workflow is a list of named steps.  Each step works on a *batch* of runs that stand at the same place, so a
hundred servers of one request, or of a hundred requests that came together, cost one transaction.

A step has up to four parts, all of which may be carried out twice::

    ask      talk to another daemon or service; no transaction is open
    do       write, inside the engine's transaction; may give orders to agents, then the run waits
    settle   write what the reports of those orders mean, inside a transaction
    undo     take ``do`` back (the undo of the failed step runs too: it may have done half)

Steps without ``ask`` follow their predecessor within the same transaction.  A part fails one run with
``run.fail(error)`` and leaves the others alone; raising fails (after the batch has been split) the one run.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from nova.db.workflows import WorkflowRow
from nova.errors import NovaError
from nova.objects.base import Value
from nova.objects.ids import HostName, JobId, WorkflowId
from nova.objects.instance import Instance
from nova.objects.jobs import JobOutcome, Order
from nova.objects.workflow import WorkflowState

if TYPE_CHECKING:
    from nova.conductor.world import World
    from nova.db.engine import Tx

COMPUTE = "compute"
NETWORK = "network"


class Ordered(Value, frozen=True, kw_only=True):
    """An order that a step gives: to which daemon of which host."""

    topic: str
    host: HostName
    order: Order
    fence: int
    event: str
    deadline_s: float
    waits: bool = True
    """False: the run goes on at once; the host owes the job whenever it comes back."""


class Event(Value, frozen=True, kw_only=True):
    """Something that happened within a transaction and belongs into the instance's history."""

    event: str
    host: HostName | None = None
    details: str | None = None
    failed: bool = False


@dataclasses.dataclass(slots=True)
class Run:
    """One workflow while this conductor works on it."""

    row: WorkflowRow
    input: Any
    notes: dict[str, Any]
    """Kept in SQL from step to step; JSON values."""
    instance: Instance | None = None
    """Loaded when a step needs it; as fresh as the transaction it was read in."""
    outcomes: list[JobOutcome] = dataclasses.field(default_factory=list)
    """Reports of the step just waited for."""
    answer: Any = None
    """What ``ask`` found, for ``do``; not kept."""
    orders: list[Ordered] = dataclasses.field(default_factory=list)
    events: list[Event] = dataclasses.field(default_factory=list)
    error: NovaError | None = None
    retry: bool = False
    """The failure may be cured by going back to ``retry_from``."""
    message: str | None = None
    held_since: float | None = None
    """When (monotonic) somebody it needs was first found away."""
    given_up: bool = False
    """Undoing it failed for good: it ends where it stands, and keeps what it holds."""

    def fail(self, error: NovaError, *, retry: bool = False) -> None:
        """This run cannot go on: what it did will be undone."""
        self.error = error
        self.retry = retry

    @property
    def id(self) -> WorkflowId:
        return WorkflowId(self.row.id)

    @property
    def known(self) -> Instance:
        """The instance, which the step said it needs."""
        if self.instance is None:
            raise RuntimeError(f"step of {self.row.kind} used an instance it did not ask for")
        return self.instance

    def job_id(self, step: str, index: int) -> JobId:
        return JobId(f"{self.row.id}:{step}:{self.row.attempt}:{index}")

    @property
    def waits(self) -> bool:
        """Tell whether a report must come before the run goes on."""
        return any(ordered.waits for ordered in self.orders)

    def fresh(self) -> Run:
        """Return a copy for one try of a transaction, which may have to be tried again."""
        twin = copy.copy(self)
        twin.notes = dict(self.notes)
        twin.orders, twin.events = [], []
        return twin


Part = Callable[["World", "Tx", Sequence[Run]], None]
Ask = Callable[["World", Sequence[Run]], None]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a workflow."""

    name: str
    do: Part | None = None
    ask: Ask | None = None
    settle: Part | None = None
    undo: Part | None = None
    undo_ask: Ask | None = None
    undone: Part | None = None
    """Writes what the reports of the orders that ``undo`` gave mean."""
    no_undo: str = ""
    """Why there is nothing to undo; a step without undo must say it."""
    needs_instance: bool = False


class Workflow:
    """Base of all workflows; a class is only a declaration and is never instantiated."""

    kind: ClassVar[str]
    steps: ClassVar[tuple[Step, ...]]
    input_type: ClassVar[type[Any]]
    retry_from: ClassVar[str | None] = None
    attempts: ClassVar[int] = 1

    @staticmethod
    def failed(world: World, tx: Tx, runs: Sequence[Run]) -> None:
        """Put the instances into the state their users expect after everything was undone."""

    @classmethod
    def index(cls, name: str) -> int:
        """Return the position of the step called ``name``."""
        return next(i for i, step in enumerate(cls.steps) if step.name == name)


FORWARD = frozenset({WorkflowState.READY, WorkflowState.WAITING})
BACKWARD = frozenset({WorkflowState.UNDOING, WorkflowState.UNDO_WAITING})
