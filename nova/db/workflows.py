"""Workflows: the rows that say what is being done, and that the API shows as instance actions.

A workflow row carries its steps, so moving on, and showing an action with its events, is one statement.  A
conductor *owns* workflows; each taking lets the fence grow, and every write names owner and fence, so one
that lost its workflows (frozen, taken for dead) cannot harm them.  Whether an owner lives, the others judge
by whether its ``beats`` grow, each on its own monotonic clock; no wall clock is involved.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import UNSET, UnsetType

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
)  # fmt: skip
from nova.db.statements import Statement
from nova.errors.database import MarkerNotFound
from nova.objects.explanation import Explanation
from nova.objects.ids import InstanceId, WorkflowId
from nova.objects.workflow import ENDED, ActionQuery, StepRecord, WorkflowRecord, WorkflowState

WORKFLOWS = table(
    "workflows",
    sa.Column("id", UUID, primary_key=True),
    needed("kind", WORD),
    needed("action", WORD),
    needed("instance_id", UUID),
    needed("request_id", WORD),
    needed("user_id", NAME),
    needed("project_id", NAME),
    needed("state", WORD),
    needed("running", FLAG),
    needed("step", COUNT),
    needed("attempt", COUNT),
    needed("fence", BIG),
    needed("owner", UUID),
    needed("stamp", UUID),
    needed("deadline_s", SECONDS),
    needed("started_at", MOMENT),
    needed("updated_at", MOMENT),
    needed("finished_at", MOMENT),
    needed("message", JSON),
    needed("input", JSON),
    needed("notes", JSON),
    needed("steps", JSON),
    needed("explanation", JSON),
    sa.Index("workflows_of_instance", "instance_id", "started_at"),
    sa.Index("workflows_running", "running", "owner", "started_at"),
    sa.Index("workflows_finished", "finished_at"),
)
W = WORKFLOWS.c


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow with what only its engine needs."""

    record: WorkflowRecord
    input: msgspec.Raw = msgspec.Raw(b"{}")
    """What the workflow was asked to do (JSON)."""
    notes: msgspec.Raw = msgspec.Raw(b"{}")
    """What it wants to remember between steps (JSON)."""
    deadline_s: float = 0.0
    """How long the present step may wait, counted by its owner on its own clock; 0 = no wait."""


class Advance(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a workflow; happens only while its owner holds it under this fence."""

    id: WorkflowId
    fence: int
    state: WorkflowState
    step: int
    attempt: int = 1
    message: str | None = None
    notes: msgspec.Raw = msgspec.Raw(b"{}")
    steps: tuple[StepRecord, ...] = ()
    deadline_s: float = 0.0
    explanation: Explanation | UnsetType | None = UNSET


_COLUMNS = (
    "id", "kind", "action", "instance_id", "request_id", "user_id", "project_id", "state", "step", "attempt",
    "fence", "owner", "deadline_s", "started_at", "updated_at", "finished_at", "message", "input", "notes",
    "steps", "explanation",
)  # fmt: skip
_INSERT = Insert(WORKFLOWS, (*_COLUMNS, "running", "stamp"))
_SELECT = sa.select(*(W[name] for name in _COLUMNS))
_encode = msgspec.json.Encoder().encode
_decode_steps = msgspec.json.Decoder(tuple[StepRecord, ...]).decode
_decode_explanation = msgspec.json.Decoder(Explanation).decode


def create(tx: Tx, workflows: Sequence[Stored]) -> None:
    """Store new workflows; with an owner in their record nobody has to take them first."""
    rows = []
    for workflow in workflows:
        r = workflow.record
        rows.append(
            (
                r.id,
                r.kind,
                r.action,
                r.instance_id,
                r.request_id,
                r.user_id,
                r.project_id,
                r.state.value,
                r.step,
                r.attempt,
                r.fence,
                r.owner or "",
                workflow.deadline_s,
                stamp(r.started_at),
                stamp(r.updated_at),
                stamp(r.finished_at),
                r.message or "",
                bytes(workflow.input).decode(),
                bytes(workflow.notes).decode(),
                _json(r.steps),
                _json(r.explanation),
                int(r.state not in ENDED),
                "",
            )
        )
    _INSERT.run(tx, rows)


_SHOW = Statement(_SELECT.where(W.id.in_(args("ids"))))
_FREE = sa.and_(W.running == 1, sa.or_(W.owner == "", W.owner.in_(args("dead"))))
_FIND_FREE = Statement(sa.select(W.id).where(_FREE).order_by(W.started_at, W.id).limit(arg("limit", BIG)))
_TAKE = Statement(
    sa.update(WORKFLOWS)
    .values(owner=arg("owner"), fence=W.fence + 1, stamp=arg("stamp"))
    .where(W.id.in_(args("ids")), _FREE)
)
_TAKEN = Statement(_SELECT.where(W.id.in_(args("ids")), W.stamp == arg("stamp")).order_by(W.started_at, W.id))


def take(tx: Tx, owner: str, *, dead: Sequence[str] = (), limit: int = 100) -> list[Stored]:
    """Take running workflows that nobody owns, or that dead owners left, oldest first; their fence grows."""
    nobody = list(dead) or [""]
    found = [row[0] for row in tx.rows(_FIND_FREE, dead=nobody, limit=limit)]
    if not found:
        return []
    token = ids.new_uuid()
    if not tx.change(_TAKE, owner=owner, stamp=token, ids=found, dead=nobody):
        return []
    return [_stored(row) for row in tx.rows(_TAKEN, ids=found, stamp=token)]


_LEAVE = Statement(sa.update(WORKFLOWS).values(owner="").where(W.owner == arg("owner"), W.running == 1))
_OWNED = Statement(_SELECT.where(W.running == 1, W.owner == arg("owner")).order_by(W.started_at, W.id))


def leave(tx: Tx, owner: str) -> int:
    """Give up all that an owner holds, so that others go on at once; return how many that were."""
    return tx.change(_LEAVE, owner=owner)


def owned_by(tx: Tx, owner: str) -> list[Stored]:
    """Return the running workflows of an owner, oldest first."""
    return [_stored(row) for row in tx.rows(_OWNED, owner=owner)]


_MOVED = (
    "state",
    "running",
    "step",
    "attempt",
    "deadline_s",
    "updated_at",
    "finished_at",
    "message",
    "notes",
    "steps",
)
_ADVANCE = {
    explained: Update(
        WORKFLOWS,
        key="id",
        matches=("owner", "fence"),
        sets=(*_MOVED, *(("explanation",) if explained else ())),
        always=(("stamp", "?"),),
    )
    for explained in (False, True)
}
_ADVANCE_ONE = {
    explained: Statement(
        sa.update(WORKFLOWS)
        .values({name: arg(name) for name in (*_MOVED, *(("explanation",) if explained else ()))})
        .where(W.id == arg("id"), W.owner == arg("owner"), W.fence == arg("fence"))
    )
    for explained in (False, True)
}
_STAMPED = Statement(sa.select(W.id).where(W.id.in_(args("ids")), W.stamp == arg("stamp")))


def advance(tx: Tx, owner: str, advances: Sequence[Advance], now: datetime.datetime) -> set[WorkflowId]:
    """Move workflows on, one statement for many; return those that the owner still holds."""
    moved: set[WorkflowId] = set()
    for explained in (False, True):
        group = [a for a in advances if (a.explanation is not UNSET) is explained]
        if len(group) == 1:
            values = _moved(group[0], stamp(now))
            if tx.change(
                _ADVANCE_ONE[explained], id=group[0].id, owner=owner, fence=group[0].fence, **values
            ):
                moved.add(group[0].id)
        elif group:
            token = ids.new_uuid()
            rows = [(a.id, owner, a.fence, *_moved(a, stamp(now)).values()) for a in group]
            matched = _ADVANCE[explained].run(tx, rows, extra=(token,))
            wanted = [a.id for a in group]
            if matched == len(wanted):
                moved.update(wanted)
            elif matched:
                moved.update(row[0] for row in tx.rows(_STAMPED, ids=wanted, stamp=token))
    return moved


def _moved(a: Advance, now: str) -> dict[str, Any]:
    ended = a.state in ENDED
    values = {
        "state": a.state.value,
        "running": 0 if ended else 1,
        "step": a.step,
        "attempt": a.attempt,
        "deadline_s": a.deadline_s,
        "updated_at": now,
        "finished_at": now if ended else "",
        "message": a.message or "",
        "notes": bytes(a.notes).decode(),
        "steps": _json(a.steps),
    }
    if a.explanation is not UNSET:
        values["explanation"] = _json(a.explanation)
    return values


_RUNNING_OF = Statement(
    _SELECT.where(W.instance_id.in_(args("ids")), W.running == 1).order_by(W.started_at, W.id)
)
_RUNNING = Statement(
    _SELECT.where(W.running == 1, W.id > arg("marker")).order_by(W.id).limit(arg("limit", BIG))
)


def show(tx: Tx, wanted: Sequence[WorkflowId]) -> list[Stored]:
    """Return those of the workflows that exist."""
    return [_stored(row) for row in tx.rows(_SHOW, ids=wanted)] if wanted else []


def running_of(tx: Tx, instances: Sequence[InstanceId]) -> list[Stored]:
    """Return the running workflows of these instances, oldest first."""
    return [_stored(row) for row in tx.rows(_RUNNING_OF, ids=instances)] if instances else []


def running(tx: Tx, *, marker: str = "", limit: int = 1000) -> list[Stored]:
    """Return running workflows by id, whoever owns them."""
    return [_stored(row) for row in tx.rows(_RUNNING, marker=marker, limit=limit)]


_OF_INSTANCE = Statement(
    _SELECT.where(
        W.instance_id == arg("id"),
        W.updated_at >= arg("since"),
        W.updated_at <= arg("before"),
        sa.or_(W.started_at < arg("after"), sa.and_(W.started_at == arg("after"), W.id < arg("after_id"))),
    )
    .order_by(W.started_at.desc(), W.id.desc())
    .limit(arg("limit", BIG))
)
_OF_REQUEST = Statement(_SELECT.where(W.instance_id == arg("id"), W.request_id == arg("request")))
_END_OF_TIME = "9999"


def actions_of(tx: Tx, instance_id: InstanceId, query: ActionQuery) -> list[WorkflowRecord]:
    """Return the actions of an instance, newest first; the marker is a request id.

    Raises :class:`~nova.errors.database.MarkerNotFound`.
    """
    if query.limit == 0:
        return []
    after, after_id = _END_OF_TIME, ""
    if query.marker is not None:
        row = tx.row(_OF_REQUEST, id=instance_id, request=query.marker)
        if row is None:
            raise MarkerNotFound(marker=query.marker)
        record = _stored(row).record
        after, after_id = stamp(record.started_at), record.id
    rows = tx.rows(
        _OF_INSTANCE,
        id=instance_id,
        since=stamp(query.changes_since),
        before=stamp(query.changes_before) or _END_OF_TIME,
        after=after,
        after_id=after_id,
        limit=query.limit if query.limit is not None else 1 << 31,
    )
    return [_stored(row).record for row in rows]


def action_of(tx: Tx, instance_id: InstanceId, request_id: str) -> WorkflowRecord | None:
    """Return the action that a request began on an instance, with its explanation."""
    row = tx.row(_OF_REQUEST, id=instance_id, request=request_id)
    return _stored(row).record if row else None


def _json(value: Any) -> str:
    return _encode(value).decode() if value else ""


def _stored(row: Row) -> Stored:
    record = WorkflowRecord(
        id=row[0],
        kind=row[1],
        action=row[2],
        instance_id=row[3],
        request_id=row[4],
        user_id=row[5],
        project_id=row[6],
        state=WorkflowState(row[7]),
        step=row[8],
        attempt=row[9],
        fence=row[10],
        owner=row[11] or None,
        message=row[16] or None,
        started_at=moment_of(row[13]),
        updated_at=moment_of(row[14]),
        finished_at=moment(row[15]),
        steps=_decode_steps(row[19]) if row[19] else (),
        explanation=_decode_explanation(row[20]) if row[20] else None,
    )
    return Stored(
        record=record,
        input=msgspec.Raw(row[17].encode()),
        notes=msgspec.Raw(row[18].encode()),
        deadline_s=row[12],
    )
