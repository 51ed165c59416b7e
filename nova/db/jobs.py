"""Orders that conductors sent to agents, and what the agents answered.

The row is there before the order is sent and until its workflow goes on, so an agent that starts can be told
what it still owes, and a report that comes twice is counted once.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from nova import ids
from nova.db.batch import Insert, Update
from nova.db.engine import Row, Tx
from nova.db.schema import (
    BIG,
    COUNT,
    JSON,
    MOMENT,
    NAME,
    SECONDS,
    UUID,
    WORD,
    arg,
    args,
    needed,
    stamp,
    table,
    text,
)
from nova.db.statements import Statement
from nova.objects.ids import HostName, InstanceId, JobId, WorkflowId
from nova.objects.jobs import Job, JobOutcome, Order

JOBS = table(
    "jobs",
    sa.Column("id", text(190), primary_key=True),
    needed("workflow_id", UUID),
    needed("instance_id", UUID),
    needed("daemon", WORD),
    needed("host", NAME),
    needed("fence", BIG),
    needed("state", WORD),
    needed("sent", COUNT),
    needed("stamp", UUID),
    needed("deadline_s", SECONDS),
    needed("created_at", MOMENT),
    needed("updated_at", MOMENT),
    needed("order", JSON),
    needed("outcome", JSON),
    sa.Index("jobs_of_workflow", "workflow_id"),
    sa.Index("jobs_of_host", "host", "state"),
    sa.Index("jobs_of_instance", "instance_id"),
)
J = JOBS.c
OPEN = "open"


class StoredJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job with its place in the engine."""

    job: Job
    workflow_id: WorkflowId
    daemon: str = "compute"
    """Whose order it is: ``compute`` or ``network``."""
    state: str = OPEN
    """``open``, or the verdict."""
    sent: int = 1
    """How often it was sent."""
    outcome: JobOutcome | None = None


_COLUMNS = (
    "id",
    "workflow_id",
    "instance_id",
    "daemon",
    "host",
    "fence",
    "state",
    "sent",
    "deadline_s",
    "order",
    "outcome",
)
_INSERT = Insert(JOBS, (*_COLUMNS, "stamp", "created_at", "updated_at"), if_missing=True)
_SELECT = sa.select(*(J[name] for name in _COLUMNS))
_encode = msgspec.json.Encoder().encode
_decode_order = msgspec.json.Decoder(Order).decode
_decode_outcome = msgspec.json.Decoder(JobOutcome).decode


def insert_many(tx: Tx, jobs: Sequence[StoredJob], now: datetime.datetime) -> None:
    """Store jobs before they are sent; one that is there already stays as it is."""
    moment = stamp(now)
    rows = [
        (
            one.job.id, one.workflow_id, one.job.instance_id, one.daemon, one.job.host or "", one.job.fence,
            one.state, one.sent, one.job.deadline_s or 0.0, _encode(one.job.order).decode(),
            _encode(one.outcome).decode() if one.outcome else "", "", moment, moment,
        )
        for one in jobs
    ]  # fmt: skip
    if rows:
        _INSERT.run(tx, rows)


_FINISH = Update(
    JOBS,
    key="id",
    matches=("fence",),
    sets=("state", "outcome"),
    always=(("stamp", "?"), ("updated_at", "?")),
    where=f"t.state = '{OPEN}'",
)
_FINISH_ONE = Statement(
    sa.update(JOBS)
    .values(state=arg("state"), outcome=arg("outcome"), updated_at=arg("now"))
    .where(J.id == arg("id"), J.fence == arg("fence"), J.state == OPEN)
)
_STAMPED = Statement(sa.select(J.id).where(J.id.in_(args("ids")), J.stamp == arg("stamp")))


def finish(tx: Tx, outcomes: Sequence[JobOutcome], now: datetime.datetime) -> set[JobId]:
    """Keep the outcomes of jobs that are still open under the same fence; return whose were kept."""
    latest = {outcome.job_id: outcome for outcome in outcomes}
    rows = [(o.job_id, o.fence, o.verdict.value, _encode(o).decode()) for o in latest.values()]
    if len(rows) == 1:
        job_id, fence, state, outcome = rows[0]
        kept = tx.change(_FINISH_ONE, id=job_id, fence=fence, state=state, outcome=outcome, now=stamp(now))
        return {job_id} if kept else set()
    if not rows:
        return set()
    token = ids.new_uuid()
    matched = _FINISH.run(tx, rows, extra=(token, stamp(now)))
    if matched in {0, len(rows)}:
        return set(latest) if matched else set()
    return {row[0] for row in tx.rows(_STAMPED, ids=sorted(latest), stamp=token)}


_SHOW = Statement(_SELECT.where(J.id.in_(args("ids"))))
_OF_WORKFLOWS = Statement(_SELECT.where(J.workflow_id.in_(args("ids"))).order_by(J.id))
_OWED = Statement(
    _SELECT.where(J.host == arg("host"), J.daemon == arg("daemon"), J.state == OPEN).order_by(
        J.created_at, J.id
    )
)
_SENT = Statement(
    sa.update(JOBS)
    .values(sent=J.sent + 1, updated_at=arg("now"))
    .where(J.id.in_(args("ids")), J.state == OPEN)
)
_FORGET = Statement(sa.delete(JOBS).where(J.workflow_id.in_(args("ids"))))


def show(tx: Tx, wanted: Sequence[JobId]) -> list[StoredJob]:
    """Return those of the jobs that exist."""
    return [_stored(row) for row in tx.rows(_SHOW, ids=wanted)] if wanted else []


def of_workflows(tx: Tx, workflows: Sequence[WorkflowId]) -> list[StoredJob]:
    """Return the jobs of these workflows, open or not."""
    return [_stored(row) for row in tx.rows(_OF_WORKFLOWS, ids=workflows)] if workflows else []


def owed(tx: Tx, host: HostName, daemon: str = "compute") -> list[StoredJob]:
    """Return what an agent still owes, oldest first."""
    return [_stored(row) for row in tx.rows(_OWED, host=host, daemon=daemon)]


def sent_again(tx: Tx, jobs: Sequence[JobId], now: datetime.datetime) -> int:
    """Count that open jobs are sent once more."""
    return tx.change(_SENT, ids=jobs, now=stamp(now)) if jobs else 0


def forget(tx: Tx, workflows: Sequence[WorkflowId]) -> None:
    """Remove the jobs of workflows that went on. Idempotent."""
    if workflows:
        tx.change(_FORGET, ids=workflows)


def _stored(row: Row) -> StoredJob:
    return StoredJob(
        job=Job(
            id=row[0],
            instance_id=InstanceId(row[2]),
            fence=row[5],
            order=_decode_order(row[9]),
            host=row[4] or None,
            deadline_s=row[8] or None,
        ),
        workflow_id=row[1],
        daemon=row[3],
        state=row[6],
        sent=row[7],
        outcome=_decode_outcome(row[10]) if row[10] else None,
    )
