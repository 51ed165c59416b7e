"""What happens to a batch of runs inside one transaction: as many steps as need nothing but SQL.

Everything a walk decides is written with the lease checked: if another conductor took one of the runs over
meanwhile, :class:`LeaseLost` ends the transaction and the caller tries again without it.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec

from nova.conductor.engine import inject
from nova.conductor.engine.step import BACKWARD, Ordered, Run, Step, Workflow
from nova.db import instances, jobs, workflows
from nova.db.jobs import JobRow
from nova.objects.ids import InstanceId, WorkflowId
from nova.objects.jobs import Job
from nova.objects.workflow import WorkflowState

if TYPE_CHECKING:
    from nova.conductor.world import World
    from nova.db.engine import Tx

Place = tuple[type[Workflow], int, bool, bool]
"""Workflow, step, going backward, step already reported."""
SEVERAL = "several"
"""Note on a run: its step waits for more than one report, which may come one by one."""
UNDO = "undo-"
"""Begins the name of a step on the way back."""
GAVE_UP = "Undoing it failed as well: what it holds is kept until the server is deleted."


class LeaseLost(Exception):
    """Other conductors own these workflows by now."""

    def __init__(self, lost: frozenset[WorkflowId]) -> None:
        super().__init__(f"{len(lost)} workflows are in other hands")
        self.lost = lost


@dataclasses.dataclass(slots=True)
class Send:
    """A job to be sent once the transaction is committed."""

    topic: str
    host: str
    job: Job
    kind: str
    step: str
    backward: bool


@dataclasses.dataclass(slots=True)
class Aftermath:
    """What is left to do after the commit."""

    sends: list[Send] = dataclasses.field(default_factory=list)
    ready: list[Run] = dataclasses.field(default_factory=list)
    """Runs whose next step must ask somebody first."""
    ended: list[Run] = dataclasses.field(default_factory=list)


def instances_of(runs: Iterable[Run]) -> Iterable[str]:
    """Name the instances of runs, for the points."""
    return (run.row.instance_id for run in runs)


class Walk:
    """One walk; made for one try of one transaction."""

    def __init__(self, world: World, tx: Tx, catalog: dict[str, type[Workflow]]) -> None:
        self._world = world
        self._tx = tx
        self._catalog = catalog
        self._now = world.clock.now()
        self._changes: list[workflows.Advance] = []
        self._jobs: list[JobRow] = []
        self._after = Aftermath()

    def go(self, runs: Sequence[Run], *, reported: bool) -> Aftermath:
        """Move all runs as far as this transaction can, write it, return what is left to do."""
        groups = [(place, list(batch)) for place, batch in self.grouped(runs, reported)]
        while groups:
            place, batch = groups.pop()
            groups.extend(self._backward(place, batch) if place[2] else self._forward(place, batch))
        return self._written()

    def turn_back(self, runs: Sequence[Run]) -> Aftermath:
        """Only note that these runs go back from where they stand: undoing may fail, noting may not."""
        for run in runs:
            self._note_error(run)
            self._park_ready([run], run.row.step, WorkflowState.UNDOING)
        return self._written()

    def _written(self) -> Aftermath:
        if self._jobs:
            jobs.insert(self._tx, self._jobs)
        wanted = frozenset(WorkflowId(c.id) for c in self._changes)
        lost = wanted - workflows.advance(self._tx, self._world.owner, self._changes)
        if lost:
            raise LeaseLost(lost)
        return self._after

    def grouped(self, runs: Iterable[Run], reported: bool) -> Iterable[tuple[Place, Iterable[Run]]]:
        """Sort runs into batches that stand at the same place."""

        def place(run: Run) -> Place:
            backward = run.row.state in BACKWARD or run.error is not None
            return (self._catalog[run.row.kind], run.row.step, backward, reported)

        def order(run: Run) -> tuple[str, int, bool]:
            return (run.row.kind, run.row.step, place(run)[2])

        return itertools.groupby(sorted(runs, key=order), key=place)

    # -- forward ----------------------------------------------------------------------------------------

    def _forward(self, place: Place, batch: list[Run]) -> list[tuple[Place, list[Run]]]:
        workflow, index, _, reported = place
        step = workflow.steps[index]
        self._need_instances(step, batch)
        points = self._world.points
        if reported:
            points(inject.BEFORE_SETTLE, workflow.kind, step.name, instances_of(batch))
            if step.settle is not None:
                step.settle(self._world, self._tx, batch)
            points(inject.AFTER_SETTLE, workflow.kind, step.name, instances_of(batch))
        else:
            points(inject.BEFORE_DO, workflow.kind, step.name, instances_of(batch))
            if step.do is not None:
                step.do(self._world, self._tx, batch)
            points(inject.AFTER_DO, workflow.kind, step.name, instances_of(batch))
        failed = [run for run in batch if run.error is not None]
        for run in failed:
            run.orders.clear()
        going = [run for run in batch if run.error is None]
        self._give_orders(step.name, going, WorkflowState.WAITING, index)
        self._history(step.name, batch)
        successors: list[tuple[Place, list[Run]]] = []
        if failed:
            successors.append(((workflow, index, True, False), failed))
        free = [run for run in going if not run.waits]
        if free:
            successors.extend(self._next(workflow, index + 1, self._ordered_all(free)))
        return successors

    def _next(self, workflow: type[Workflow], index: int, runs: list[Run]) -> list[tuple[Place, list[Run]]]:
        if index == len(workflow.steps):
            self._end(runs, index - 1, WorkflowState.DONE)
            return []
        if workflow.steps[index].ask is not None:
            self._park_ready(runs, index, WorkflowState.READY)
            return []
        return [((workflow, index, False, False), runs)]

    # -- backward ---------------------------------------------------------------------------------------

    def _backward(self, place: Place, batch: list[Run]) -> list[tuple[Place, list[Run]]]:
        workflow, index, _, reported = place
        step = workflow.steps[index]
        for run in batch:
            self._note_error(run)
        lost = [run for run in batch if run.given_up]
        if lost:
            self._fail(workflow, index, lost)
            batch = [run for run in batch if not run.given_up]
        points = self._world.points
        if reported:
            points(inject.BEFORE_UNDONE, workflow.kind, step.name, instances_of(batch))
            if step.undone is not None:
                step.undone(self._world, self._tx, batch)
            points(inject.AFTER_UNDONE, workflow.kind, step.name, instances_of(batch))
            return self._undone(workflow, index, batch)
        self._need_instances(step, batch)
        if step.undo_ask is not None:
            unasked = [run for run in batch if run.answer is not step]
            self._park_ready(unasked, index, WorkflowState.UNDOING)
            batch = [run for run in batch if run.answer is step]
        if not batch:
            return []
        points(inject.BEFORE_UNDO, workflow.kind, step.name, instances_of(batch))
        if step.undo is not None:
            step.undo(self._world, self._tx, batch)
        points(inject.AFTER_UNDO, workflow.kind, step.name, instances_of(batch))
        self._give_orders(f"{UNDO}{step.name}", batch, WorkflowState.UNDO_WAITING, index)
        self._history(f"{UNDO}{step.name}", batch)
        free = [run for run in batch if not run.waits]
        return self._undone(workflow, index, self._ordered_all(free))

    def _undone(self, workflow: type[Workflow], index: int, runs: list[Run]) -> list[tuple[Place, list[Run]]]:
        if not runs:
            return []
        successors: list[tuple[Place, list[Run]]] = []
        again: list[Run] = []
        if workflow.retry_from is not None and index == workflow.index(workflow.retry_from):
            again = [run for run in runs if run.retry and run.row.attempt < workflow.attempts]
            for run in again:
                run.row = msgspec.structs.replace(run.row, attempt=run.row.attempt + 1)
                run.error, run.retry, run.answer = None, False, None
                run.notes.pop("error", None)
                run.notes.pop("retry", None)
            if again:
                successors.extend(self._next(workflow, index, again))
        rest = [run for run in runs if run not in again] if again else runs
        if rest and index == 0:
            self._fail(workflow, 0, rest)
        elif rest:
            successors.append(((workflow, index - 1, True, False), rest))
        return successors

    @staticmethod
    def _note_error(run: Run) -> None:
        run.notes["error"] = run.error.to_wire() if run.error else None
        run.notes["retry"] = run.retry

    def _fail(self, workflow: type[Workflow], index: int, runs: list[Run]) -> None:
        workflow.failed(self._world, self._tx, runs)
        for run in runs:
            if run.message is None and run.error is not None:
                run.message = run.error.sentence() + (f" {GAVE_UP}" if run.given_up else "")
        self._end(runs, index, WorkflowState.FAILED)

    # -- writing ----------------------------------------------------------------------------------------

    def _need_instances(self, step: Step, runs: list[Run]) -> None:
        if not step.needs_instance:
            return
        missing = [InstanceId(run.row.instance_id) for run in runs if run.instance is None]
        if missing:
            found = instances.get_many(self._tx, missing)
            for run in runs:
                run.instance = run.instance or found.get(InstanceId(run.row.instance_id))

    def _change(self, run: Run, state: WorkflowState, step: int, *, finished: bool, release: bool) -> None:
        self._changes.append(
            workflows.Advance(
                id=run.row.id,
                fence=run.row.fence,
                state=state,
                step=step,
                attempt=run.row.attempt,
                notes=msgspec.json.encode(run.notes),
                message=run.message,
                finished=finished,
                release=release,
            )
        )
        run.row = msgspec.structs.replace(run.row, state=state, step=step)

    def _park_ready(self, runs: list[Run], index: int, state: WorkflowState) -> None:
        for run in runs:
            self._change(run, state, index, finished=False, release=False)
        self._after.ready.extend(runs)

    def _give_orders(self, step: str, runs: list[Run], state: WorkflowState, index: int) -> None:
        """Note that we wait before anything is sent: an answer may overtake us."""
        for run in runs:
            for number, ordered in enumerate(run.orders):
                self._order(run, step, number, ordered)
            if run.waits:
                if len(run.orders) > 1:
                    run.notes[SEVERAL] = True
                self._change(run, state, index, finished=False, release=True)

    @staticmethod
    def _ordered_all(runs: list[Run]) -> list[Run]:
        for run in runs:
            run.orders.clear()
        return runs

    def _order(self, run: Run, step: str, number: int, ordered: Ordered) -> None:
        job = Job(
            id=run.job_id(step, number),
            instance_id=InstanceId(run.row.instance_id),
            fence=ordered.fence,
            order=ordered.order,
            host=ordered.host,
            deadline_s=ordered.deadline_s,
        )
        self._jobs.append(
            JobRow(
                id=job.id,
                workflow_id=run.row.id,
                instance_id=run.row.instance_id,
                request_id=run.row.request_id,
                step=step,
                event=ordered.event,
                host=ordered.host,
                topic=ordered.topic,
                fence=ordered.fence,
                order=msgspec.json.encode(job),
                started_at=self._now,
                deadline_s=ordered.deadline_s,
            )
        )
        self._after.sends.append(
            Send(
                ordered.topic, ordered.host, job, run.row.kind, step.removeprefix(UNDO), step.startswith(UNDO)
            )
        )

    def _history(self, step: str, runs: list[Run]) -> None:
        for run in runs:
            for number, event in enumerate(run.events):
                self._jobs.append(
                    JobRow(
                        id=run.job_id(f"{step}.event", number),
                        workflow_id=run.row.id,
                        instance_id=run.row.instance_id,
                        request_id=run.row.request_id,
                        step=step,
                        event=event.event,
                        host=event.host,
                        started_at=self._now,
                        finished_at=self._now,
                        result="Error" if event.failed else "Success",
                        details=event.details,
                    )
                )
            run.events.clear()

    def _end(self, runs: list[Run], index: int, state: WorkflowState) -> None:
        for run in runs:
            self._change(run, state, index, finished=True, release=True)
        self._after.ended.extend(runs)
