"""Workflows together with their jobs: the API's actions with events, and what loops look after."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from nova.db import jobs, workflows
from nova.db.engine import TryAgain, Tx
from nova.db.jobs import J, JobRow, Pending
from nova.db.schema import BIG, arg, stamp
from nova.db.statements import Statement
from nova.db.workflows import SELECT, W, WorkflowRow
from nova.errors import NovaError
from nova.errors.database import MarkerNotFound
from nova.errors.servers import Cancelled
from nova.objects.ids import InstanceId, WorkflowId
from nova.objects.workflow import ActionQuery, StepRecord, WorkflowRecord, WorkflowState

_OF_INSTANCE = Statement(
    SELECT.where(
        W.instance_id == arg("id"),
        W.updated_at >= arg("since"),
        W.updated_at <= arg("before"),
        sa.or_(W.started_at < arg("after"), sa.and_(W.started_at == arg("after"), W.id < arg("after_id"))),
    )
    .order_by(W.started_at.desc(), W.id.desc())
    .limit(arg("limit", BIG))
)
_OF_REQUEST = Statement(
    SELECT.where(W.instance_id == arg("id"), W.request_id == arg("request")).order_by(W.started_at, W.id)
)
_WAITING = Statement(
    sa.select(W.id)
    .where(
        W.running == 1,
        W.state.in_(
            [sa.literal_column(f"'{s.value}'") for s in (WorkflowState.WAITING, WorkflowState.UNDO_WAITING)]
        ),
        W.id > arg("marker"),
    )
    .order_by(W.id)
    .limit(arg("limit", BIG))
)
_END_OF_TIME = "9999"


def of_instance(tx: Tx, instance_id: InstanceId, query: ActionQuery) -> list[WorkflowRecord]:
    """Return the actions of an instance, newest first, without their steps; the marker is a request id.

    Raises :class:`~nova.errors.database.MarkerNotFound`.
    """
    if query.limit == 0:
        return []
    after, after_id = _END_OF_TIME, ""
    if query.marker is not None:
        row = tx.row(_OF_REQUEST, id=instance_id, request=query.marker)
        if row is None:
            raise MarkerNotFound(marker=query.marker)
        last = workflows.read(row)
        after, after_id = stamp(last.started_at), last.id
    rows = tx.rows(
        _OF_INSTANCE,
        id=instance_id,
        since=stamp(query.changes_since),
        before=stamp(query.changes_before) or _END_OF_TIME,
        after=after,
        after_id=after_id,
        limit=query.limit if query.limit is not None else 1 << 31,
    )
    return [record(workflows.read(row), ()) for row in rows]


def by_request(tx: Tx, instance_id: InstanceId, request_id: str) -> WorkflowRecord | None:
    """Return the action that a request began on an instance, with its steps and its explanation."""
    row = tx.row(_OF_REQUEST, id=instance_id, request=request_id)
    if row is None:
        return None
    found = workflows.read(row)
    return record(found, jobs.of_workflows(tx, [found.id]))


def record(row: WorkflowRow, steps: Sequence[JobRow]) -> WorkflowRecord:
    """Return what is shown of a workflow."""
    values = {name: getattr(row, name) for name in WorkflowRecord.__struct_fields__}
    values["steps"] = tuple(
        StepRecord(
            event=job.event,
            started_at=job.started_at,
            finished_at=job.finished_at,
            result=job.result,
            host=job.host,
            details=job.details,
        )
        for job in steps
    )
    return WorkflowRecord(**values)


def waiting(tx: Tx, limit: int, after_id: str = "") -> dict[WorkflowId, list[Pending]]:
    """Return the workflows that wait for reports, by id, with their open jobs."""
    found: dict[WorkflowId, list[Pending]] = {
        WorkflowId(row[0]): [] for row in tx.rows(_WAITING, marker=after_id, limit=limit)
    }
    for job in jobs.pending_of(tx, list(found)):
        found[job.workflow_id].append(job)
    return found


_OWED = Statement(
    sa.select(J.workflow_id)
    .where(
        J.open == 1,
        J.workflow_id > arg("marker"),
        ~sa.exists().where(W.id == J.workflow_id, W.running == 1),
    )
    .group_by(J.workflow_id)
    .order_by(J.workflow_id)
    .limit(arg("limit", BIG))
)


def owed(tx: Tx, limit: int, after_id: str = "") -> list[Pending]:
    """Return open jobs that nobody waits for: those of the next ``limit`` ended workflows."""
    found = [WorkflowId(row[0]) for row in tx.rows(_OWED, marker=after_id, limit=limit)]
    return jobs.pending_of(tx, found)


def supersede(
    tx: Tx,
    instances: Sequence[InstanceId],
    state: WorkflowState = WorkflowState.CANCELLED,
    message: str = "",
    spared: Sequence[str] = (),
) -> list[WorkflowRow]:
    """End whatever runs on these instances but ``spared``, with its open jobs; return it as it was before."""
    ended = workflows.end_all(tx, instances, state, message, spared)
    jobs.end_all(tx, [row.id for row in ended], message)
    return ended


def cancel(tx: Tx, workflow: WorkflowId) -> WorkflowRow | None:
    """Have a running workflow undone from where it stands; None when it goes back, or ended, already.

    A conductor takes it up within seconds.
    """
    row = workflows.get_many(tx, [workflow]).get(workflow)
    if row is None or row.state not in FORWARD:
        return None
    turn_back(tx, row, Cancelled(action=row.action))
    return row


def turn_back(tx: Tx, row: WorkflowRow, error: NovaError) -> None:
    """Have a workflow that goes forward undone from where it stands.

    What hosts were ordered is waited for no more: undoing bars it, or takes it away.  Raises
    :class:`~nova.db.engine.TryAgain` when it is not as ``row`` says any more.
    """
    notes = msgspec.json.decode(row.notes) if row.notes else {}
    notes |= {"error": error.to_wire(), "retry": False}
    if not workflows.turn_back(tx, row, msgspec.json.encode(notes)):
        raise TryAgain
    jobs.end_all(tx, [row.id], error.sentence())


FORWARD = frozenset({WorkflowState.READY, WorkflowState.WAITING})
