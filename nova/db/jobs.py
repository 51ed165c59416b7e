"""Jobs: orders that conductors gave to agents, and what happened; the API shows them as action events.

The row is there before the order is sent, so an agent that starts can be told what it still owes, and a
report that comes twice is counted once.  An event without an order is a job that was finished from the start.
The text of an order is forgotten when its job is finished.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from nova import ids
from nova.db.batch import Insert, Update
from nova.db.engine import Row, Tx
from nova.db.schema import (
    BIG,
    COUNT,
    FLAG,
    JSON,
    MOMENT,
    NAME,
    SECONDS,
    UUID,
    WORD,
    arg,
    args,
    moment,
    moment_of,
    needed,
    stamp,
    table,
    text,
)
from nova.db.statements import Statement
from nova.errors import revive
from nova.objects.ids import HostName, InstanceId, JobId, WorkflowId
from nova.objects.jobs import JobOutcome, Verdict

JOBS = table(
    "jobs",
    sa.Column("id", text(190), primary_key=True),
    needed("workflow_id", UUID),
    needed("instance_id", UUID),
    needed("request_id", WORD),
    needed("step", WORD),
    needed("event", WORD),
    needed("topic", WORD),
    needed("host", NAME),
    needed("fence", BIG),
    needed("open", FLAG),
    needed("sends", COUNT),
    needed("stamp", UUID),
    needed("deadline_s", SECONDS),
    needed("started_at", MOMENT),
    needed("finished_at", MOMENT),
    needed("result", WORD),
    needed("details", JSON),
    needed("order", JSON),
    needed("outcome", JSON),
    sa.Index("jobs_of_workflow", "workflow_id"),
    sa.Index("jobs_owed", "open", "host", "topic"),
    sa.Index("jobs_of_instance", "instance_id"),
)
J = JOBS.c
SUCCESS, ERROR = "Success", "Error"


class JobRow(msgspec.Struct, frozen=True, kw_only=True):
    """An order or an event."""

    id: JobId
    workflow_id: WorkflowId
    instance_id: InstanceId
    request_id: str
    step: str
    event: str
    host: HostName | None = None
    topic: str = ""
    """``compute`` or ``network``; empty for an event without an order."""
    fence: int = 0
    order: bytes | None = None
    """The encoded job; not read where nobody needs it, and gone when the job is finished."""
    started_at: datetime.datetime
    finished_at: datetime.datetime | None = None
    result: str | None = None
    """``Success`` or ``Error``."""
    details: str | None = None
    outcome: JobOutcome | None = None
    sends: int = 1
    deadline_s: float | None = None


class Pending(NamedTuple):
    """An open job: what is looked at again and again."""

    id: JobId
    workflow_id: WorkflowId
    topic: str
    host: HostName
    """Empty for none."""
    deadline_s: float
    """0 for none."""


_LIGHT = (
    "id", "workflow_id", "instance_id", "request_id", "step", "event", "host", "topic", "fence", "started_at",
    "finished_at", "result", "details", "outcome", "sends", "deadline_s",
)  # fmt: skip
_INSERT = Insert(JOBS, (*_LIGHT, "order", "open", "stamp"), if_missing=True)
_BRIEF = sa.select(*(J[name] for name in _LIGHT))
_WHOLE = sa.select(*(J[name] for name in _LIGHT), J.order)
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(JobOutcome).decode


def insert(tx: Tx, rows: Sequence[JobRow]) -> None:
    """Store jobs before they are sent; one that is there already stays as it is."""
    if rows:
        _INSERT.run(tx, [_values(row) for row in rows])


def _values(row: JobRow) -> Row:
    return (
        row.id, row.workflow_id, row.instance_id, row.request_id, row.step, row.event, row.host or "",
        row.topic, row.fence, stamp(row.started_at), stamp(row.finished_at), row.result or "",
        row.details or "", _encode(row.outcome).decode() if row.outcome else "", row.sends,
        row.deadline_s or 0.0, row.order.decode() if row.order else "", int(row.finished_at is None), "",
    )  # fmt: skip


_FINISH = Update(
    JOBS,
    key="id",
    matches=("fence",),
    sets=("result", "details", "outcome"),
    always=(("stamp", "?"), ("finished_at", "?"), ("open", "0"), ("order", "''")),
    where="t.open = 1",
)
_STAMPED = Statement(_BRIEF.where(J.id.in_(args("ids")), J.stamp == arg("stamp")).order_by(J.id))


def finish(tx: Tx, outcomes: Sequence[JobOutcome], now: datetime.datetime) -> list[JobRow]:
    """Keep the outcomes of jobs that are still open under the same fence; return those (without orders)."""
    latest = {outcome.job_id: outcome for outcome in outcomes}
    if not latest:
        return []
    token = ids.new_uuid()
    rows = [(o.job_id, o.fence, *_told(o), _encode(o).decode()) for o in latest.values()]
    if not _FINISH.run(tx, rows, extra=(token, stamp(now))):
        return []
    return [_read(row) for row in tx.rows(_STAMPED, ids=sorted(latest), stamp=token)]


def _told(outcome: JobOutcome) -> tuple[str, str]:
    """Return the result and the sentence about it."""
    if outcome.verdict is Verdict.DONE:
        return SUCCESS, ""
    return ERROR, revive(*outcome.error).sentence() if outcome.error else ""


_OPEN_OF = Statement(_BRIEF.where(J.workflow_id.in_(args("ids")), J.open == 1).order_by(J.id))
_PENDING_OF = Statement(
    sa.select(*(J[name] for name in Pending._fields))
    .where(J.workflow_id.in_(args("ids")), J.open == 1)
    .order_by(J.id)
)
_ORDERS = Statement(sa.select(J.order).where(J.id.in_(args("ids")), J.open == 1).order_by(J.id))
_OWED = Statement(
    _WHOLE.where(J.open == 1, J.host.in_(args("hosts")), J.topic == arg("topic")).order_by(J.started_at, J.id)
)
_OF = Statement(_BRIEF.where(J.workflow_id.in_(args("ids"))).order_by(J.started_at, J.id))
_SENT = Statement(sa.update(JOBS).values(sends=J.sends + 1).where(J.id.in_(args("ids")), J.open == 1))
_END = Statement(
    sa.update(JOBS)
    .values(open=0, order="", result=ERROR, details=arg("details"), finished_at=arg("now"))
    .where(J.workflow_id.in_(args("ids")), J.open == 1)
)


def open_of(tx: Tx, workflows: Sequence[WorkflowId]) -> list[JobRow]:
    """Return the open jobs of these workflows, without their orders."""
    return [_read(row) for row in tx.rows(_OPEN_OF, ids=workflows)] if workflows else []


def pending_of(tx: Tx, workflows: Sequence[WorkflowId]) -> list[Pending]:
    """Return of the open jobs of these workflows what waiting for them needs."""
    return [Pending._make(row) for row in tx.rows(_PENDING_OF, ids=workflows)] if workflows else []


def orders(tx: Tx, wanted: Sequence[JobId]) -> list[bytes]:
    """Return the encoded jobs of those of these that are open."""
    return [row[0].encode() for row in tx.rows(_ORDERS, ids=wanted) if row[0]] if wanted else []


def open_for_hosts(tx: Tx, hosts: Sequence[HostName], topic: str) -> list[JobRow]:
    """Return what the agents of these hosts still owe, oldest first, with orders."""
    return [_read(row) for row in tx.rows(_OWED, hosts=hosts, topic=topic)] if hosts else []


def of_workflows(tx: Tx, workflows: Sequence[WorkflowId]) -> list[JobRow]:
    """Return all jobs of these workflows, oldest first, without orders."""
    return [_read(row) for row in tx.rows(_OF, ids=workflows)] if workflows else []


def sent(tx: Tx, jobs: Sequence[JobId]) -> int:
    """Count that open jobs are sent once more; return how many are open."""
    return tx.change(_SENT, ids=jobs) if jobs else 0


def end_all(tx: Tx, workflows: Sequence[WorkflowId], details: str) -> int:
    """Finish all open jobs of workflows that were ended, as errors; return how many that were."""
    return tx.change(_END, ids=workflows, details=details, now=stamp(tx.now)) if workflows else 0


def _read(row: Row) -> JobRow:
    return JobRow(
        id=row[0],
        workflow_id=row[1],
        instance_id=row[2],
        request_id=row[3],
        step=row[4],
        event=row[5],
        host=row[6] or None,
        topic=row[7],
        fence=row[8],
        started_at=moment_of(row[9]),
        finished_at=moment(row[10]),
        result=row[11] or None,
        details=row[12] or None,
        outcome=_decode(row[13]) if row[13] else None,
        sends=row[14],
        deadline_s=row[15] or None,
        order=row[16].encode() if len(row) > 16 and row[16] else None,
    )
