"""Drives workflows: takes runs from the inbox, asks, commits, sends, and takes reports in."""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from nova.conductor.engine import inject
from nova.conductor.engine.coalesce import Coalescer
from nova.conductor.engine.inbox import Inbox
from nova.conductor.engine.step import BACKWARD, Run, Workflow
from nova.conductor.engine.walk import SEVERAL, Aftermath, LeaseLost, Send, Walk, instances_of
from nova.db import history, jobs, workflows
from nova.db.engine import Tx, again
from nova.db.workflows import WorkflowRow
from nova.errors import NovaError, Unavailable, revive
from nova.errors.database import CommitUnknown
from nova.errors.servers import WorkflowSuperseded
from nova.objects.ids import WorkflowId
from nova.objects.instance import Instance
from nova.objects.jobs import JobOutcome, Verdict

if TYPE_CHECKING:
    from nova.conductor.world import World

LOG = logging.getLogger(__name__)

BATCH = 128
PAUSE_S = 1.0
SURPRISES = 3
"""How often a surprise (a bug, an odd answer) is tried again before it fails the run."""
UNDO_TRIES = 10
"""How often undoing a step is tried before the run ends where it stands, with what it holds."""


class Surprise(NovaError):
    """Something nobody foresaw stopped a workflow."""

    template = "An unexpected problem stopped the action; the operator finds it under request {request_id}."


class Engine:
    """One per conductor.  Every method may be called from any thread."""

    def __init__(self, world: World, catalog: Iterable[type[Workflow]]) -> None:
        self._world = world
        self._catalog = {workflow.kind: workflow for workflow in catalog}
        self._inputs = {kind: msgspec.json.Decoder(w.input_type) for kind, w in self._catalog.items()}
        self._inbox = Inbox(world.clock)
        self._reports: Coalescer[tuple[JobOutcome, ...], None] = Coalescer(self._take_reports)
        self._threads: list[threading.Thread] = []
        self._surprises: dict[WorkflowId, int] = {}

    # -- life -------------------------------------------------------------------------------------------

    def start(self, threads: int) -> None:
        """Begin to work."""
        for number in range(threads):
            thread = threading.Thread(target=self._work, name=f"engine-{number}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self, timeout_s: float) -> None:
        """Finish the transactions at hand, then rest; what is left others may take up at once."""
        self._inbox.close()
        for thread in self._threads:
            thread.join(timeout_s)
        if self._inbox.held():
            try:
                self._world.db.run(lambda tx: workflows.leave(tx, self._world.owner), settled=again)
            except NovaError as error:
                LOG.warning("Others take up what is left after the lease only: %s", error)

    def held(self) -> set[WorkflowId]:
        """Return the workflows in this conductor's hands."""
        return self._inbox.held()

    # -- ways in ----------------------------------------------------------------------------------------

    def admit(self, tx: Tx, rows: Sequence[WorkflowRow], instances: Sequence[Instance | None]) -> list[Run]:
        """Write new workflows, owned by this conductor; give the result to :meth:`wake` after the commit."""
        workflows.insert(tx, rows)
        runs = []
        for row, instance in zip(rows, instances, strict=True):
            run = self.run_of(row)
            run.instance = instance
            runs.append(run)
        return runs

    def supersede(self, tx: Tx, instance: Instance, by: str, message: str) -> None:
        """End what runs on an instance.

        A workflow that has something outside SQL to take back (an image that waits for its bytes) does so
        beside the one that takes over.
        """
        spared: list[str] = []
        if instance.task_state is not None:
            for row in workflows.running_of(tx, [instance.id]):
                if any(step.undo_ask is not None for step in self._catalog[row.kind].steps):
                    spared.append(row.id)
                    if row.state not in BACKWARD:
                        history.turn_back(tx, row, WorkflowSuperseded(id=instance.id, action=by))
        history.supersede(tx, [instance.id], message=message, spared=spared)

    def wake(self, runs: Iterable[Run]) -> None:
        """Go on with runs whose rows are committed and owned by this conductor."""
        self._inbox.put(runs)

    def report(self, outcomes: Sequence[JobOutcome]) -> None:
        """Take in reports of agents; once it returns they are durable."""
        try:
            self._reports.submit(tuple(outcomes))
        except inject.Crash as crash:  # whoever reports to a killed process gets no answer
            raise Unavailable from crash

    def run_of(self, row: WorkflowRow) -> Run:
        """Make a run of a row of this conductor."""
        notes: dict[str, Any] = msgspec.json.decode(row.notes) if row.notes else {}
        run = Run(row=row, input=self._inputs[row.kind].decode(row.input), notes=notes)
        if row.state in BACKWARD:
            wire = notes.get("error")
            run.error = revive(*wire) if wire else Surprise(request_id=row.request_id)
            run.retry = bool(notes.get("retry"))
        return run

    # -- work -------------------------------------------------------------------------------------------

    def _work(self) -> None:
        while batch := self._inbox.get(BATCH):
            try:
                self._drive(batch)
            except inject.Crash:
                self._inbox.done(run.id for run in batch)
            except BaseException:  # a worker must survive; the runs are taken up again by reconcile/recover
                LOG.exception("A batch of %d workflows was dropped", len(batch))
                self._inbox.done(run.id for run in batch)

    def _drive(self, batch: list[Run]) -> None:
        places: dict[tuple[str, int, bool], list[Run]] = {}
        for run in batch:
            backward = run.error is not None
            places.setdefault((run.row.kind, run.row.step, backward), []).append(run)
        for (kind, index, backward), runs in places.items():
            try:
                self._ask(self._catalog[kind], index, backward, runs)
                after = self._commit(runs)
            except Unavailable as error:
                LOG.warning("%d %s workflows wait: %s", len(runs), kind, error)
                self._postpone(runs, error)
                continue
            except Exception as error:  # a step failed: whoever is to blame is found by going one by one
                self._blame(runs, error)
                continue
            self._finish(after)

    def _ask(self, workflow: type[Workflow], index: int, backward: bool, runs: list[Run]) -> None:
        step = workflow.steps[index]
        ask = step.undo_ask if backward else step.ask
        runs = [run for run in runs if not run.given_up]
        if ask is None or not runs:
            return
        self._world.points(inject.BEFORE_ASK, workflow.kind, step.name, instances_of(runs))
        ask(self._world, runs)
        self._world.points(inject.AFTER_ASK, workflow.kind, step.name, instances_of(runs))
        if backward:
            for run in runs:
                run.answer = step

    def _postpone(self, runs: list[Run], error: Unavailable) -> None:
        """Somebody is away: come again soon, but not for ever."""
        now = self._world.clock.monotonic()
        for run in runs:
            run.held_since = run.held_since or now
            if now - run.held_since > self._world.settings.away_s:
                _stop_trying(run, error)
        self._inbox.put(runs, delay_s=PAUSE_S)

    def _blame(self, runs: list[Run], error: Exception) -> None:
        if len(runs) > 1:
            for run in runs:
                self._drive([run])
            return
        run = runs[0]
        forward = run.error is None
        if isinstance(error, NovaError) and forward:
            run.fail(error)
            self._inbox.put([run])
            return
        count = self._surprises[run.id] = self._surprises.get(run.id, 0) + 1
        LOG.error(
            "Workflow %s (%s, step %d) of instance %s met a surprise (%d)",
            run.id,
            run.row.kind,
            run.row.step,
            run.row.instance_id,
            count,
            exc_info=error,
        )
        if count >= (SURPRISES if forward else UNDO_TRIES):
            self._surprises.pop(run.id, None)
            _stop_trying(run, Surprise(request_id=run.row.request_id))
            self._inbox.put([run])
        else:
            self._inbox.put([run], delay_s=min(PAUSE_S * count, 30.0))

    def _commit(self, runs: Sequence[Run]) -> Aftermath:
        left = list(runs)
        while left:
            self._pass(inject.BEFORE_COMMIT, left)
            tries: list[Aftermath] = []
            try:
                after = self._world.db.run(functools.partial(self._walk, left, tries))
            except LeaseLost as lost:
                LOG.info("Lost %d workflows to other conductors", len(lost.lost))
                self._inbox.done(lost.lost)
                left = [run for run in left if run.id not in lost.lost]
                continue
            except CommitUnknown:
                return self._found([run.id for run in left], tries[-1])
            self._pass(inject.AFTER_COMMIT, left)
            ready = {run.id for run in after.ready}
            self._inbox.done(run.id for run in left if run.id not in ready)
            return after
        return Aftermath()

    def _walk(self, runs: Sequence[Run], tries: list[Aftermath], tx: Tx) -> Aftermath:
        fresh = [run.fresh() for run in runs]
        tries.append(Walk(self._world, tx, self._catalog).go(fresh, reported=False))
        return tries[-1]

    def _found(self, ids: Sequence[WorkflowId], meant: Aftermath) -> Aftermath:
        """Return what is left to do after a commit whose answer was lost: see what became of it.

        Workflows that still have something to do get a new fence and come again from where they stand in
        SQL, whether that is before or after the commit; of the jobs those are sent that are there.
        """
        LOG.warning("Whether %d workflows went on is unknown; looking", len(ids))
        try:
            rows = self._world.db.run(lambda tx: workflows.readopt(tx, self._world.owner, ids))
            written = self._world.db.read(lambda tx: jobs.open_of(tx, ids))
        except Unavailable as error:
            LOG.warning("They are taken up after the lease only: %s", error)
            self._inbox.done(ids)
            return Aftermath()
        mine = {row.id for row in rows}
        self._inbox.done(one for one in ids if one not in mine)
        self._inbox.put([self.run_of(row) for row in rows])
        there = {job.id for job in written}
        return Aftermath(
            sends=[send for send in meant.sends if send.job.id in there],
            ended=[run for run in meant.ended if run.id not in mine],
        )

    def _finish(self, after: Aftermath) -> None:
        """Do what a commit left to do."""
        if after.sends:
            self._send(after.sends)
        if after.ready:
            self._inbox.put(after.ready)
        for run in after.ended:
            self._surprises.pop(run.id, None)
            self._world.ended(run)

    def _send(self, sends: Sequence[Send]) -> None:
        """Cast jobs to their hosts; what cannot be sent is sent again by reconcile/late_jobs."""
        by_host: dict[tuple[str, str], list[Send]] = {}
        for send in sends:
            by_host.setdefault((send.topic, send.host), []).append(send)
        for (topic, host), items in by_host.items():
            self._pass_send(inject.BEFORE_SEND, inject.BEFORE_UNDO_SEND, items)
            try:
                self._world.send_jobs(topic, host, [item.job for item in items])
            except Unavailable as error:
                LOG.warning("Jobs for %s on %s could not be sent yet: %s", topic, host, error)
            self._pass_send(inject.AFTER_SEND, inject.AFTER_UNDO_SEND, items)

    def _pass_send(self, forth: str, back: str, sends: Sequence[Send]) -> None:
        points = self._world.points
        if points.listener is not None:
            for kind, step, backward in {(send.kind, send.step, send.backward) for send in sends}:
                here = [s for s in sends if (s.kind, s.step, s.backward) == (kind, step, backward)]
                points(back if backward else forth, kind, step, (send.job.instance_id for send in here))

    def _pass(self, point: str, runs: Sequence[Run]) -> None:
        points = self._world.points
        if points.listener is not None:
            for kind, step in {(run.row.kind, run.row.step) for run in runs}:
                here = [run for run in runs if (run.row.kind, run.row.step) == (kind, step)]
                points(point, kind, self._catalog[kind].steps[step].name, instances_of(here))

    # -- reports ----------------------------------------------------------------------------------------

    def _take_reports(self, batches: Sequence[tuple[JobOutcome, ...]]) -> Sequence[None]:
        outcomes = [outcome for batch in batches for outcome in batch]
        ended = [
            o for o in outcomes if o.verdict is not Verdict.PROGRESS and o.verdict is not Verdict.UNKNOWN
        ]
        phases = [o for o in outcomes if o.verdict is Verdict.PROGRESS]
        tries: list[Aftermath] = []

        def work(tx: Tx) -> Aftermath:
            tries.append(self._reported(tx, ended, phases))
            return tries[-1]

        try:
            after = self._world.db.run(work)
        except CommitUnknown:
            after = self._found_reported(outcomes, tries[-1], work)
        except Unavailable:
            raise
        except Exception as error:  # a step failed: whoever is to blame is found by going one by one
            after = self._blame_report(outcomes, error)
        self._finish(after)
        return [None] * len(batches)

    def _found_reported(
        self, outcomes: Sequence[JobOutcome], meant: Aftermath, work: Callable[[Tx], Aftermath]
    ) -> Aftermath:
        """Take reports again whose commit lost its answer: if they are in, nothing is found to do."""
        after = self._world.db.run(work)
        if after != Aftermath():
            return after
        held = self._inbox.held()
        ids = dict.fromkeys(WorkflowId(outcome.job_id.partition(":")[0]) for outcome in outcomes)
        return self._found([one for one in ids if one not in held], meant)

    def _blame_report(self, outcomes: Sequence[JobOutcome], error: Exception) -> Aftermath:
        if len(outcomes) > 1:
            self._take_one_by_one(outcomes)
            return Aftermath()
        reported = outcomes[0]
        workflow = WorkflowId(reported.job_id.partition(":")[0])
        count = self._surprises[workflow] = self._surprises.get(workflow, 0) + 1
        if not isinstance(error, NovaError):
            LOG.error("The report of job %s met a surprise (%d)", reported.job_id, count, exc_info=error)
            if count < SURPRISES:
                raise error
        if reported.verdict is Verdict.PROGRESS:
            raise error
        self._surprises.pop(workflow, None)
        return self._world.db.run(lambda tx: self._reported(tx, [reported], [], failed=error))

    def _take_one_by_one(self, outcomes: Sequence[JobOutcome]) -> None:
        """Take each report for itself; one that cannot be taken, which is told at last, stops no other."""
        refused: Exception | None = None
        for outcome in outcomes:
            try:
                self._take_reports([(outcome,)])
            except Exception as error:  # raised below
                refused = refused or error
        if refused is not None:
            raise refused

    def _reported(
        self,
        tx: Tx,
        ended: list[JobOutcome],
        phases: list[JobOutcome],
        failed: Exception | None = None,
    ) -> Aftermath:
        """Write reports and go on; when their step ``failed``, the engine's own threads go back instead."""
        if phases:
            self._world.record_phases(tx, phases)
        finished = jobs.finish(tx, ended, self._world.clock.now()) if ended else []
        if not finished:
            return Aftermath()
        ids = list(dict.fromkeys(WorkflowId(row.workflow_id) for row in finished))
        still_open = {WorkflowId(row.workflow_id) for row in jobs.open_of(tx, ids)}
        rows = workflows.resume(tx, self._world.owner, [i for i in ids if i not in still_open])
        runs = [self.run_of(row) for row in rows]
        _hand_out(tx, runs, finished)
        walk = Walk(self._world, tx, self._catalog)
        if failed is None:
            return walk.go(runs, reported=True)
        for run in runs:
            surprise = Surprise(request_id=run.row.request_id)
            _stop_trying(run, failed if isinstance(failed, NovaError) else surprise)
        return walk.turn_back(runs)

    def adopt(self, lost: Sequence[WorkflowId]) -> None:
        """Take up workflows of this very conductor that nobody holds; each gets a new fence."""
        owner = self._world.owner
        rows = self._world.db.run(lambda tx: workflows.readopt(tx, owner, list(lost)), settled=again)
        self._inbox.put([self.run_of(row) for row in rows])

    def adopt_forgotten(self, granted: Sequence[WorkflowId]) -> None:
        """Go on at once with those of these workflows that are this conductor's but in nobody's hands.

        That is so when the answer to the commit that admitted them was lost.
        """
        held = self._inbox.held()
        try:
            self.adopt([one for one in granted if one not in held])
        except Unavailable as error:
            LOG.warning("%d workflows are taken up after the lease only: %s", len(granted), error)

    # -- take-over --------------------------------------------------------------------------------------

    def recover(self, dead_owners: Sequence[str]) -> int:
        """Take up workflows without a living owner; return how many."""
        owner, dead = self._world.owner, list(dead_owners)
        # What a commit of unknown end took is this conductor's, in nobody's hands: adopted after the lease.
        rows = self._world.db.run(lambda tx: workflows.take(tx, owner, BATCH, dead), settled=again)
        if rows:
            LOG.info("Took over %d workflows", len(rows))
            self._inbox.put([self.run_of(row) for row in rows])
        return len(rows)


def _stop_trying(run: Run, error: NovaError) -> None:
    """Go back; a run that does so already ends where it stands."""
    if run.error is None:
        run.fail(error)
    else:
        LOG.error("Undoing workflow %s of instance %s is given up: %s", run.id, run.row.instance_id, error)
        run.given_up = True


def _hand_out(tx: Tx, runs: Sequence[Run], finished: Sequence[jobs.JobRow]) -> None:
    """Give each run all that was reported of its step: what came now, and what came with earlier reports."""
    several = {run.id for run in runs if run.notes.pop(SEVERAL, False)}
    steps = {_step_of(job) for job in finished}
    if several:
        known = [job for job in jobs.of_workflows(tx, sorted(several)) if _step_of(job) in steps]
        finished = [*known, *(job for job in finished if job.workflow_id not in several)]
    outcomes: dict[str, list[JobOutcome]] = {}
    for job in finished:
        if job.outcome is not None:
            outcomes.setdefault(job.workflow_id, []).append(job.outcome)
    for run in runs:
        run.outcomes = outcomes.get(run.id, [])


def _step_of(job: jobs.JobRow) -> str:
    """Return workflow, step and attempt of a job."""
    return job.id.rpartition(":")[0]
