"""Workflows: the rows that say what is being done, and that the API shows as instance actions.

A conductor *owns* the workflows it works on; while reports are awaited nobody does.  Each taking lets the
fence grow, and every write names owner and fence, so a conductor that lost its workflows (frozen, taken for
dead) cannot harm them.  Whether an owner lives, the others judge by whether its beats grow
(:mod:`nova.db.owners`); no wall clock is involved.

The steps of an action are its jobs (:mod:`nova.db.jobs`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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
    UUID,
    WORD,
    arg,
    args,
    moment,
    moment_of,
    needed,
    stamp,
    table,
)
from nova.db.statements import Statement
from nova.objects.explanation import Explanation
from nova.objects.ids import InstanceId, WorkflowId
from nova.objects.workflow import ENDED, WorkflowRecord, WorkflowState

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
    needed("started_at", MOMENT),
    needed("step_started_at", MOMENT),
    needed("updated_at", MOMENT),
    needed("finished_at", MOMENT),
    needed("message", JSON),
    needed("input", JSON),
    needed("notes", JSON),
    needed("explanation", JSON),
    sa.Index("workflows_of_instance", "instance_id", "started_at"),
    sa.Index("workflows_running", "running", "owner", "state"),
    sa.Index("workflows_finished", "finished_at"),
)
W = WORKFLOWS.c
REFUSAL = "refusal"
"""The kind of a row that keeps the place of a workflow that was refused (:mod:`nova.db.refusals`)."""


class WorkflowRow(WorkflowRecord, frozen=True, kw_only=True):
    """A workflow with what only its engine needs; its steps are not read."""

    input: bytes = b""
    """What the workflow was asked to do (JSON)."""
    notes: bytes = b""
    """What it wants to remember from step to step (JSON)."""


class Advance(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a workflow; happens only while its owner holds it under this fence.

    None leaves a value as it is.
    """

    id: str
    fence: int
    state: WorkflowState
    step: int
    attempt: int | None = None
    notes: bytes | None = None
    message: str | None = None
    explanation: Explanation | None = None
    finished: bool = False
    release: bool = False
    """Nobody owns it from now on: it waits, or it has ended."""


COLUMNS = (
    "id", "kind", "action", "instance_id", "request_id", "user_id", "project_id", "state", "step", "attempt",
    "fence", "owner", "message", "started_at", "updated_at", "finished_at", "explanation", "input", "notes",
)  # fmt: skip
_INSERT = Insert(WORKFLOWS, (*COLUMNS, "step_started_at", "running", "stamp"))
SELECT = sa.select(*(W[name] for name in COLUMNS))
_encode = msgspec.json.Encoder().encode
_decode_explanation = msgspec.json.Decoder(Explanation).decode
_EXISTING = Statement(sa.select(W.id).where(W.id.in_(args("ids")), W.kind != REFUSAL))
_GET = Statement(SELECT.where(W.id.in_(args("ids"))))


def insert(tx: Tx, rows: Sequence[WorkflowRow]) -> None:
    """Store new workflows; with an owner nobody has to take them first.

    Raises ``Duplicate`` when a copy of the request was granted, or refused, before.
    """
    now = stamp(tx.now)
    _INSERT.run(tx, [(*_values(row), now, int(row.state not in ENDED), "") for row in rows])


def _values(row: WorkflowRow) -> Row:
    return (
        row.id, row.kind, row.action, row.instance_id, row.request_id, row.user_id, row.project_id,
        row.state.value, row.step, row.attempt, row.fence, row.owner or "", row.message or "",
        stamp(row.started_at), stamp(row.updated_at), stamp(row.finished_at), explained(row.explanation),
        row.input.decode(), row.notes.decode(),
    )  # fmt: skip


def existing(tx: Tx, wanted: Sequence[WorkflowId]) -> set[WorkflowId]:
    """Return which of these workflows there are (after a commit whose answer was lost)."""
    return {row[0] for row in tx.rows(_EXISTING, ids=wanted)} if wanted else set()


def get_many(tx: Tx, wanted: Sequence[WorkflowId]) -> dict[WorkflowId, WorkflowRow]:
    """Return those of the workflows that exist."""
    found = [read(row) for row in tx.rows(_GET, ids=wanted)] if wanted else []
    return {row.id: row for row in found}


_BACKWARD_OR_READY = (WorkflowState.READY.value, WorkflowState.UNDOING.value)
_WAITING = (WorkflowState.WAITING.value, WorkflowState.UNDO_WAITING.value)
_FREE = sa.and_(
    W.running == 1,
    W.owner.in_(args("owners")),
    W.state.in_([sa.literal_column(f"'{word}'") for word in _BACKWARD_OR_READY]),
)
_FIND_FREE = Statement(sa.select(W.id).where(_FREE).order_by(W.started_at, W.id).limit(arg("limit", BIG)))
_OWN = {"owner": arg("owner"), "fence": W.fence + 1, "stamp": arg("stamp")}
_TAKE = Statement(sa.update(WORKFLOWS).values(_OWN).where(W.id.in_(args("ids")), _FREE))
_RESUME = Statement(
    sa.update(WORKFLOWS)
    .values(_OWN)
    .where(
        W.id.in_(args("ids")),
        W.running == 1,
        W.state.in_([sa.literal_column(f"'{word}'") for word in _WAITING]),
    )
)
_STAMPED = Statement(
    SELECT.where(W.id.in_(args("ids")), W.stamp == arg("stamp")).order_by(W.started_at, W.id)
)


def take(tx: Tx, owner: str, limit: int, dead_owners: Sequence[str] = ()) -> list[WorkflowRow]:
    """Take workflows that have something to do and that nobody, or a dead owner, holds; oldest first."""
    owners = ["", *dead_owners]
    found = [row[0] for row in tx.rows(_FIND_FREE, owners=owners, limit=limit)]
    token = ids.new_uuid()
    if not found or not tx.change(_TAKE, owner=owner, stamp=token, ids=found, owners=owners):
        return []
    return [read(row) for row in tx.rows(_STAMPED, ids=found, stamp=token)]


def resume(tx: Tx, owner: str, wanted: Sequence[WorkflowId]) -> list[WorkflowRow]:
    """Take those of the workflows that wait (the reports came); their state stays.  Returns those taken."""
    token = ids.new_uuid()
    if not wanted or not tx.change(_RESUME, owner=owner, stamp=token, ids=wanted):
        return []
    return [read(row) for row in tx.rows(_STAMPED, ids=wanted, stamp=token)]


_READOPT = Statement(
    sa.update(WORKFLOWS)
    .values(_OWN)
    .where(
        W.id.in_(args("ids")),
        W.owner == arg("owner"),
        W.running == 1,
        W.state.in_([sa.literal_column(f"'{word}'") for word in _BACKWARD_OR_READY]),
    )
)


def readopt(tx: Tx, owner: str, wanted: Sequence[WorkflowId]) -> list[WorkflowRow]:
    """Give those of an owner's own workflows that have something to do a new fence; returns them."""
    token = ids.new_uuid()
    if not wanted or not tx.change(_READOPT, owner=owner, stamp=token, ids=wanted):
        return []
    return [read(row) for row in tx.rows(_STAMPED, ids=wanted, stamp=token)]


_Sets = tuple[str, ...]


def advance(tx: Tx, owner: str, changes: Sequence[Advance]) -> set[WorkflowId]:
    """Move workflows on, one statement for all that change alike; return those the owner still held."""
    groups: dict[_Sets, list[Advance]] = {}
    for change in changes:
        groups.setdefault(tuple(_changed(change, "")), []).append(change)
    moved: set[WorkflowId] = set()
    now = stamp(tx.now)
    for sets, group in groups.items():
        values = [_changed(change, now) for change in group]
        if len(group) == 1:
            only = group[0]
            if tx.change(_advance_one(sets), id=only.id, holder=owner, held=only.fence, **values[0]):
                moved.add(WorkflowId(only.id))
            continue
        token = ids.new_uuid()
        rows = [(a.id, a.fence, *v.values()) for a, v in zip(group, values, strict=True)]
        matched = _advance_many(sets).run(tx, rows, extra=(token, owner))
        wanted = [WorkflowId(a.id) for a in group]
        if matched == len(wanted):
            moved.update(wanted)
        elif matched:
            moved.update(row[0] for row in tx.rows(_MOVED, ids=wanted, stamp=token))
    return moved


_MOVED = Statement(sa.select(W.id).where(W.id.in_(args("ids")), W.stamp == arg("stamp")))
_ONE: dict[_Sets, Statement] = {}
_MANY: dict[_Sets, Update] = {}


def _advance_one(sets: _Sets) -> Statement:
    if sets not in _ONE:
        _ONE[sets] = Statement(
            sa.update(WORKFLOWS)
            .values({name: arg(name) for name in sets})
            .where(W.id == arg("id"), W.owner == arg("holder"), W.fence == arg("held"))
        )
    return _ONE[sets]


def _advance_many(sets: _Sets) -> Update:
    if sets not in _MANY:
        _MANY[sets] = Update(
            WORKFLOWS,
            key="id",
            matches=("fence",),
            sets=sets,
            always=(("stamp", "?"),),
            where="t.owner = ?",
        )
    return _MANY[sets]


def _changed(change: Advance, now: str) -> dict[str, Any]:
    """Return the columns that a change writes; which they are tells what statement it needs."""
    values: dict[str, Any] = {
        "state": change.state.value,
        "step": change.step,
        "step_started_at": now,
        "updated_at": now,
    }
    if change.attempt is not None:
        values["attempt"] = change.attempt
    if change.notes is not None:
        values["notes"] = change.notes.decode()
    if change.message is not None:
        values["message"] = change.message
    if change.explanation is not None:
        values["explanation"] = explained(change.explanation)
    if change.release:
        values["owner"] = ""
    if change.finished:
        values |= {"running": 0, "finished_at": now}
    return values


_LEAVE = Statement(sa.update(WORKFLOWS).values(owner="").where(W.owner == arg("owner"), W.running == 1))
_MARK = Statement(
    sa.update(WORKFLOWS)
    .values(stamp=arg("stamp"))
    .where(W.instance_id.in_(args("ids")), W.running == 1, W.id.not_in(args("spared")))
)
_MARKED = Statement(
    SELECT.where(W.instance_id.in_(args("ids")), W.stamp == arg("stamp")).order_by(W.started_at, W.id)
)
_END = Statement(
    sa.update(WORKFLOWS)
    .values(
        state=arg("state"), message=arg("message"), running=0, owner="", fence=W.fence + 1,
        finished_at=arg("now"), updated_at=arg("now"),
    )
    .where(W.id.in_(args("ids")))
)  # fmt: skip


def leave(tx: Tx, owner: str) -> int:
    """Give up all that an owner holds, so that others go on at once; return how many that were."""
    return tx.change(_LEAVE, owner=owner)


def end_all(
    tx: Tx,
    instances: Sequence[InstanceId],
    state: WorkflowState,
    message: str,
    spared: Sequence[str] = (),
) -> list[WorkflowRow]:
    """End whatever runs on these instances; return it as it was before.  Their jobs stay as they are."""
    token = ids.new_uuid()
    if not instances or not tx.change(_MARK, ids=instances, stamp=token, spared=[*spared, ""]):
        return []
    found = [read(row) for row in tx.rows(_MARKED, ids=instances, stamp=token)]
    wanted = [row.id for row in found]
    tx.change(_END, ids=wanted, state=state.value, message=message, now=stamp(tx.now))
    return found


_RUNNING_OF = Statement(
    SELECT.where(W.instance_id.in_(args("ids")), W.running == 1).order_by(W.started_at, W.id)
)
_RUNNING = Statement(
    SELECT.where(W.running == 1, W.id > arg("marker")).order_by(W.id).limit(arg("limit", BIG))
)
_MINE = sa.and_(W.running == 1, W.owner == arg("owner"))
_OWNED = Statement(sa.select(W.id).where(_MINE))
_OWNED_OR_FREE = Statement(
    sa.union_all(
        sa.select(W.id, sa.literal_column("0")).where(_MINE),
        sa.select(sa.func.min(W.id), sa.literal_column("1")).where(_FREE),
    )
)
_COUNTS = Statement(
    sa.select(W.state, sa.func.count(), sa.func.min(W.started_at)).where(W.running == 1).group_by(W.state)
)


def running_of(tx: Tx, instances: Sequence[InstanceId]) -> list[WorkflowRow]:
    """Return the running workflows of these instances, oldest first."""
    return [read(row) for row in tx.rows(_RUNNING_OF, ids=instances)] if instances else []


def running(tx: Tx, limit: int = 1000, after_id: str = "") -> list[WorkflowRow]:
    """Return running workflows by id, whoever owns them."""
    return [read(row) for row in tx.rows(_RUNNING, marker=after_id, limit=limit)]


def owned_by(tx: Tx, owner: str) -> set[WorkflowId]:
    """Return the ids of the running workflows of an owner."""
    return {WorkflowId(row[0]) for row in tx.rows(_OWNED, owner=owner)}


def owned_or_free(tx: Tx, owner: str, dead_owners: Sequence[str] = ()) -> tuple[set[WorkflowId], bool]:
    """Return the ids of the running workflows of an owner, and whether :func:`take` would find any."""
    rows = tx.rows(_OWNED_OR_FREE, owner=owner, owners=["", *dead_owners])
    mine = {WorkflowId(row[0]) for row in rows if not row[1]}
    return mine, any(row[1] and row[0] for row in rows)


class Tally(msgspec.Struct, frozen=True):
    """How many workflows are in a state, and when the oldest of them began."""

    count: int
    oldest: Any


def counts(tx: Tx) -> dict[WorkflowState, Tally]:
    """Count the running workflows by state."""
    return {WorkflowState(row[0]): Tally(row[1], moment(row[2])) for row in tx.rows(_COUNTS)}


def explained(explanation: Explanation | None) -> str:
    """Return an explanation as it is stored."""
    return _encode(explanation).decode() if explanation else ""


def read(row: Row) -> WorkflowRow:
    """Make a value of the columns ``COLUMNS``."""
    return WorkflowRow(
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
        message=row[12] or None,
        started_at=moment_of(row[13]),
        updated_at=moment_of(row[14]),
        finished_at=moment(row[15]),
        explanation=_decode_explanation(row[16]) if row[16] else None,
        input=row[17].encode(),
        notes=row[18].encode(),
    )


_RELEASE = Statement(
    sa.update(WORKFLOWS)
    .values(owner=sa.literal_column("''"), fence=W.fence + 1)
    .where(
        W.id == arg("id"),
        W.running == 1,
        W.state.in_([sa.literal_column(f"'{word}'") for word in _BACKWARD_OR_READY]),
    )
)


def free(tx: Tx, workflow: WorkflowId) -> bool:
    """Take a workflow that has something to do away from its owner; False when it has not."""
    return bool(tx.change(_RELEASE, id=workflow))


_BACK = Statement(
    sa.update(WORKFLOWS)
    .values(
        state=sa.literal_column(f"'{WorkflowState.UNDOING.value}'"),
        owner=sa.literal_column("''"),
        fence=W.fence + 1,
        notes=arg("notes"),
        updated_at=arg("now"),
    )
    .where(
        W.id == arg("id"),
        W.running == 1,
        W.fence == arg("held"),
        W.state.in_(
            [sa.literal_column(f"'{s.value}'") for s in (WorkflowState.READY, WorkflowState.WAITING)]
        ),
    )
)


def turn_back(tx: Tx, row: WorkflowRow, notes: bytes) -> bool:
    """Let a workflow that goes forward go back from where it stands; its owner is fenced, others may take it.

    ``row`` as it was read in this transaction; False when it has gone on, back or to its end since.
    """
    return bool(tx.change(_BACK, id=row.id, held=row.fence, notes=notes.decode(), now=stamp(tx.now)))
