"""Jobs that are not reported: asked for, sent again, and given up when their deadline has passed.

Ages are counted from when this conductor first saw a job open, on its own monotonic clock.
"""

from __future__ import annotations

import functools
import itertools
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from nova.db import engine, history, jobs
from nova.db.jobs import JobRow, Pending
from nova.errors import NovaError, Unavailable
from nova.errors.servers import DeadlinePassed
from nova.objects.ids import HostName, InstanceId, JobId
from nova.objects.jobs import Job, JobOutcome, Verdict
from nova.workers import WorkerPool

if TYPE_CHECKING:
    from nova.conductor.world import World

LOG = logging.getLogger(__name__)
PAGE = 500
AT_ONCE = 16
"""Hosts that are asked at the same time."""
_PATIENCE_S = 5.0
_WAIT_S = 10.0
"""How long a look waits for the answers; hosts that did not answer by then are not asked by the next one."""
_decode_job = msgspec.json.Decoder(Job).decode


class _Age:
    __slots__ = ("asked_at", "pause", "since")

    def __init__(self, now: float, pause: float) -> None:
        self.since = now
        self.asked_at = now
        self.pause = pause


class LateJobs:
    """One a conductor; several conductors doing it at once are harmless, jobs are idempotent."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._ages: dict[JobId, _Age] = {}
        self._pool = WorkerPool("late-jobs", AT_ONCE, idle_s=5.0)
        self._asking: set[tuple[str, HostName]] = set()

    def look(self) -> None:
        """Look at all open jobs once."""
        world = self._world
        now = world.clock.monotonic()
        ages: dict[JobId, _Age] = {}
        ask: dict[tuple[str, HostName], list[Pending]] = {}
        late: list[Pending] = []
        for job, waited_for in itertools.chain(self._waited_for(), self._owed()):
            age = ages[job.id] = self._ages.get(job.id) or _Age(now, world.settings.job_ask_s)
            if waited_for and job.deadline_s and now - age.since > job.deadline_s:
                late.append(job)
            elif now - age.asked_at >= age.pause and job.host:
                age.asked_at = now
                age.pause = min(age.pause * 2, world.settings.job_ask_most_s)
                ask.setdefault((job.topic, job.host), []).append(job)
        self._ages = ages
        if late:
            self._give_up(late)
        for (topic, host), rows in ask.items():
            if (topic, host) not in self._asking:
                self._asking.add((topic, host))
                self._pool.submit(functools.partial(self._ask, topic, host, rows))
        self._pool.drain(_WAIT_S)

    def _waited_for(self) -> Iterator[tuple[Pending, bool]]:
        marker = ""
        while True:
            page = self._world.db.read(functools.partial(history.waiting, limit=PAGE, after_id=marker))
            for workflow, open_jobs in page.items():
                marker = workflow
                yield from ((job, True) for job in open_jobs)
            if len(page) < PAGE:
                return

    def _owed(self) -> Iterator[tuple[Pending, bool]]:
        """Yield what hosts that are up owe though nobody waits: they may never have heard of it."""
        marker = ""
        while True:
            page = self._world.db.read(functools.partial(history.owed, limit=PAGE, after_id=marker))
            for job in page:
                marker = max(marker, job.workflow_id)
                if self._world.liveness.is_up(job.host, f"nova-{job.topic}"):
                    yield job, False
            if len({job.workflow_id for job in page}) < PAGE:
                return

    def _ask(self, topic: str, host: HostName, rows: list[Pending]) -> None:
        try:
            self._ask_host(topic, host, rows)
        finally:
            self._asking.discard((topic, host))

    def _ask_host(self, topic: str, host: HostName, rows: list[Pending]) -> None:
        world = self._world
        client: Any = world.compute if topic == "compute" else world.network
        ctx = msgspec.structs.replace(world.context(), timeout_s=_PATIENCE_S)
        try:
            told: list[JobOutcome] = client.host(host).job_status(ctx, [row.id for row in rows])
        except Unavailable as error:
            LOG.info("%s on %s does not answer about %d jobs: %s", topic, host, len(rows), error)
            return
        except NovaError as error:
            LOG.warning("%s on %s could not tell about %d jobs: %s", topic, host, len(rows), error)
            return
        unknown = {o.job_id for o in told if o.verdict is Verdict.UNKNOWN}
        again = [row.id for row in rows if row.id in unknown]
        if again and (orders := world.db.read(lambda tx: jobs.orders(tx, again))):
            LOG.info("Sending %d jobs to %s on %s again", len(orders), topic, host)
            world.db.run(lambda tx: jobs.sent(tx, again), settled=engine.again)
            world.send_jobs(topic, host, [_decode_job(order) for order in orders])
        known = [o for o in told if o.verdict not in (Verdict.UNKNOWN, Verdict.PROGRESS)]
        if known:
            world.engine.report(known)

    def _give_up(self, late: list[Pending]) -> None:
        for start in range(0, len(late), PAGE):
            part = late[start : start + PAGE]
            wanted = {job.id for job in part}
            of = sorted({job.workflow_id for job in part})
            rows = self._world.db.read(functools.partial(jobs.open_of, workflows=of))
            self._world.engine.report([_given_up(row) for row in rows if row.id in wanted])


def _given_up(row: JobRow) -> JobOutcome:
    error = DeadlinePassed(what=row.event, seconds=row.deadline_s or 0.0, host=row.host or "?")
    name, facts = error.to_wire()
    return JobOutcome(
        job_id=row.id,
        instance_id=InstanceId(row.instance_id),
        fence=row.fence,
        verdict=Verdict.FAILED,
        host=row.host or HostName(""),
        error=(name, facts),
        details={"unclear": True},
    )
