"""Requests for workflows that were refused: kept in the place of the workflow that each would have made.

A request's workflow has an id that follows from the request, so of two copies of it, one refused and one
granted, only one can write its row; the other finds it.  Such a row belongs to no instance: no history shows
it, no conductor takes it.
"""

from __future__ import annotations

import datetime

import sqlalchemy as sa

from nova.context import RequestContext
from nova.db import workflows
from nova.db.engine import Tx
from nova.db.schema import BIG, arg, args, stamp
from nova.db.statements import Statement
from nova.db.workflows import REFUSAL, W, WorkflowRow
from nova.objects.ids import InstanceId, ProjectId, UserId, WorkflowId
from nova.objects.workflow import WorkflowState

_NOBODY = InstanceId("")
_FIND = Statement(sa.select(W.kind, W.message).where(W.id == arg("id")))
_OLD = Statement(
    sa.select(W.id)
    .where(W.instance_id == _NOBODY, W.started_at <= arg("until"))
    .order_by(W.started_at)
    .limit(arg("most", BIG))
)
_DROP = Statement(sa.delete(workflows.WORKFLOWS).where(W.id.in_(args("ids")), W.kind == REFUSAL))


def insert(tx: Tx, ctx: RequestContext, workflow: WorkflowId, action: str, error: str) -> None:
    """Keep a refusal (an error as JSON); ``Duplicate``: a copy was granted, or refused, before."""
    row = WorkflowRow(
        id=workflow,
        kind=REFUSAL,
        action=action,
        instance_id=_NOBODY,
        request_id=ctx.request_id,
        user_id=UserId(ctx.user_id),
        project_id=ProjectId(ctx.project_id),
        state=WorkflowState.CANCELLED,
        message=error,
        started_at=tx.now,
        updated_at=tx.now,
        finished_at=tx.now,
        notes=b"{}",
    )
    workflows.insert(tx, [row])


def find(tx: Tx, workflow: WorkflowId) -> str | None:
    """Return the error, as JSON, that a request for this workflow was refused with.

    None: nobody has asked for it yet.  Empty: it was granted.
    """
    row = tx.row(_FIND, id=workflow)
    if row is None:
        return None
    return row[1] if row[0] == REFUSAL else ""


def expire(tx: Tx, age_s: float, most: int) -> int:
    """Forget the oldest refusals of at least such an age, at most so many; return how many that were."""
    until = stamp(tx.now - datetime.timedelta(seconds=age_s))
    found = [row[0] for row in tx.rows(_OLD, until=until, most=most)]
    return tx.change(_DROP, ids=found) if found else 0
