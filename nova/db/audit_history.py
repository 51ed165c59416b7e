"""Does the history tell the truth?  Questions about workflows, their events, and what was destroyed."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from nova.db import owners
from nova.db.dialects import mysql_hint
from nova.db.engine import Tx
from nova.db.findings import Finding, Look, each
from nova.db.instance_table import INSTANCES, T
from nova.db.jobs import J
from nova.db.schema import args, moment_of
from nova.db.statements import Statement
from nova.db.workflows import WORKFLOWS, W
from nova.objects.holdings import Destroyed

GRACE_S = 60.0
"""How long after its deadline a job may be open: loops must look, agents must answer."""


def _whole(query: sa.Select[Any], name: str) -> sa.Subquery:
    """Return a query of all workflows as a table to join: found once, in the order in which they lie.

    MariaDB would look workflows up for each instance, or by index to group them: half a minute with 200,000.
    """
    hinted = mysql_hint(query, WORKFLOWS, "IGNORE INDEX (workflows_of_instance)")
    return hinted.group_by(W.instance_id).subquery(name)


_BOOTS = _whole(sa.select(W.instance_id, sa.func.count().label("times")).where(W.kind == "boot"), "boots")
_TIMES = sa.func.coalesce(_BOOTS.c.times, 0)
_NOT_CREATED_ONCE = Statement(
    sa.select(T.id, _TIMES)
    .select_from(INSTANCES.outerjoin(_BOOTS, _BOOTS.c.instance_id == T.id))
    .where(_TIMES != 1)
    .order_by(T.id)
)
_CREATED_NOTHING = Statement(
    sa.select(W.instance_id, W.request_id)
    .where(W.kind == "boot", ~sa.exists().where(T.id == W.instance_id))
    .order_by(W.instance_id)
)
_DELETES = _whole(sa.select(W.instance_id).where(W.kind == "delete", W.state == "done"), "deletes")
_DELETED_UNASKED = Statement(
    sa.select(T.id)
    .select_from(INSTANCES.outerjoin(_DELETES, _DELETES.c.instance_id == T.id))
    .where(T.deleted == 1, _DELETES.c.instance_id.is_(None))
    .order_by(T.id)
)
_BUILDING_ALONE = Statement(
    sa.select(T.id)
    .where(
        T.deleted == 0,
        T.vm_state == "building",
        ~sa.exists().where(W.instance_id == T.id, W.running == 1),
    )
    .order_by(T.id)
)
_FAILED_UNTOLD = Statement(
    sa.select(T.id)
    .where(T.deleted == 0, T.vm_state == "error", T.launched_at == "", T.fault == "")
    .order_by(T.id)
)
_TWO_AT_ONCE = Statement(
    sa.select(W.instance_id, sa.func.count())
    .where(W.running == 1)
    .group_by(W.instance_id)
    .having(sa.func.count() > 1)
)
_HALF_ENDED = Statement(
    sa.select(W.id, W.action)
    .where(
        sa.or_(
            sa.and_(W.running == 1, W.finished_at != ""),
            sa.and_(W.running == 0, W.finished_at == ""),
            sa.and_(W.running == 0, W.owner != ""),
        )
    )
    .order_by(W.id)
)
# A delete need not wait for a host that is down: that host still owes its job.
_EVENT_LEFT_OPEN = Statement(
    sa.select(J.id, J.event)
    .where(J.open == 1, sa.exists().where(W.id == J.workflow_id, W.running == 0, W.kind != "delete"))
    .order_by(J.id)
)
_EVENT_WITHOUT_END = Statement(
    sa.select(J.id, J.event).where(J.open == 0, sa.or_(J.finished_at == "", J.result == "")).order_by(J.id)
)
_EVENT_OF_NONE = Statement(
    sa.select(J.id, J.event).where(~sa.exists().where(W.id == J.workflow_id)).order_by(J.id)
)
_OPEN = Statement(
    sa.select(J.id, J.event, J.started_at, J.deadline_s).where(
        J.open == 1, J.deadline_s > 0, sa.exists().where(W.id == J.workflow_id, W.running == 1)
    )
)
_ASKED = Statement(
    sa.select(W.instance_id, W.request_id, W.id).where(W.instance_id.in_(args("ids"))).order_by(W.id)
)


def _late(tx: Tx) -> Iterator[Finding]:
    """Name jobs that are open for too long by the conductors' clocks, even where those were set meanwhile."""
    now, leapt_s = owners.clocks(tx)
    for job, event, started, deadline_s in tx.rows(_OPEN):
        late = now - moment_of(started) - datetime.timedelta(seconds=deadline_s + GRACE_S + leapt_s)
        if late > datetime.timedelta():
            told = f"should have ended within {deadline_s:.0f} s and is open"
            yield Finding(rule="late", subject=job, sentence=f"Job {job} ({event}) {told}.")


RULES: tuple[Look, ...] = (
    each("not-created-once", _NOT_CREATED_ONCE, "Instance {0} has {1} records of its creation."),
    each("created-nothing", _CREATED_NOTHING, "Request {1} created instance {0}, of which there is no row."),
    each("deleted-unasked", _DELETED_UNASKED, "Instance {0} is deleted, but no delete of it has ended well."),
    each("building-alone", _BUILDING_ALONE, "Instance {0} is building, but no workflow is at it."),
    each("failed-untold", _FAILED_UNTOLD, "Instance {0} could not be built, and no fault says why."),
    each("two-at-once", _TWO_AT_ONCE, "{1} workflows run on instance {0}."),
    each("half-ended", _HALF_ENDED, "Workflow {0} ({1}) is neither running nor ended."),
    each("event-left-open", _EVENT_LEFT_OPEN, "Job {0} ({1}) is open, but its workflow has ended."),
    each("event-without-end", _EVENT_WITHOUT_END, "Job {0} ({1}) is closed without time or result."),
    each("event-of-none", _EVENT_OF_NONE, "Job {0} ({1}) belongs to no workflow."),
    _late,
)


def untraceable(tx: Tx, destroyed: Sequence[Destroyed]) -> Iterator[Finding]:
    """Name guests that were destroyed for a reason that is no request, and no undo, of their instance.

    Instances that were purged with their history are passed over.
    """
    wanted = sorted({gone.instance_id for gone in destroyed})
    reasons: dict[str, set[str]] = {}
    for start in range(0, len(wanted), 500):
        for instance, request, workflow in tx.rows(_ASKED, ids=wanted[start : start + 500]):
            reasons.setdefault(instance, set()).update((request, workflow))
    for gone in destroyed:
        known = reasons.get(gone.instance_id)
        if known is None:
            continue
        word = gone.reason.rpartition(" ")[2].partition(":")[0]
        if word not in known:
            told = f"was destroyed for a reason that nobody gave: {gone.reason or 'none'}"
            sentence = f"The guest of instance {gone.instance_id} {told}."
            yield Finding(rule="destroyed-unasked", subject=gone.instance_id, sentence=sentence)
