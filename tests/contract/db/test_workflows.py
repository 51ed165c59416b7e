"""Workflows and jobs: one owner at a time, fenced, moved on in batches."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from nova import ids
from nova.db import history, jobs, owners, workflows
from nova.db.engine import Database
from nova.db.jobs import JobRow
from nova.db.workflows import Advance, WorkflowRow
from nova.errors.database import Duplicate, MarkerNotFound
from nova.objects.explanation import Explanation, FilterVerdict
from nova.objects.ids import HostName, WorkflowId
from nova.objects.jobs import JobOutcome, Verdict
from nova.objects.workflow import ActionQuery, WorkflowState
from tests.contract.db.makers import NOW, ShownClock, at, workflow

ME, YOU = "me", "you"


def insert(db: Database, *rows: WorkflowRow) -> None:
    db.run(lambda tx: workflows.insert(tx, rows))


def get(db: Database, row: WorkflowRow) -> WorkflowRow:
    return db.read(lambda tx: workflows.get_many(tx, [row.id]))[row.id]


def take(db: Database, owner: str, limit: int = 100, dead: tuple[str, ...] = ()) -> list[WorkflowRow]:
    return db.run(lambda tx: workflows.take(tx, owner, limit, dead))


def test_what_is_stored_comes_back(db: Database) -> None:
    one = workflow(
        owner=ME,
        message="ü",
        explanation=Explanation(considered=3),
        input=b'{"x":["\xc3\xbc"]}',
        notes=b"[1]",
    )
    insert(db, one, workflow())
    assert get(db, one) == one
    assert db.read(lambda tx: workflows.owned_by(tx, ME)) == {one.id}
    assert db.read(lambda tx: workflows.existing(tx, [one.id, ids.new_uuid()])) == {one.id}
    with pytest.raises(Duplicate):
        insert(db, one)


def test_what_is_owned_and_whether_any_is_free_is_one_statement(db: Database) -> None:
    def look(*dead: str) -> tuple[set[WorkflowId], bool]:
        before = db.statements
        found = db.read(lambda tx: workflows.owned_or_free(tx, ME, dead))
        assert db.statements - before == 1
        return found

    assert look() == (set(), False)
    mine, others = workflow(owner=ME), workflow(owner="dead", state=WorkflowState.UNDOING)
    insert(db, mine, others, workflow(state=WorkflowState.WAITING), workflow(state=WorkflowState.DONE))
    assert look() == ({mine.id}, False)
    assert look("dead", "deader", "deadest") == ({mine.id}, True)
    insert(db, workflow(), workflow())
    assert look() == ({mine.id}, True)
    take(db, ME, 5)
    assert look()[1] is False and len(look()[0]) == 3


def test_taking_is_exclusive_and_fences(db: Database) -> None:
    many = [workflow(started_at=at(n)) for n in range(5)]
    ended, waits = workflow(state=WorkflowState.DONE), workflow(state=WorkflowState.WAITING)
    insert(db, *many, workflow(owner="dead", state=WorkflowState.UNDOING), ended, waits)
    mine = take(db, ME, 3)
    assert [row.id for row in mine] == [row.id for row in many[:3]]
    assert {(row.owner, row.fence) for row in mine} == {(ME, 2)}
    assert len(take(db, YOU)) == 2
    assert take(db, YOU) == []
    assert len(take(db, YOU, dead=("dead",))) == 1
    assert db.run(lambda tx: workflows.leave(tx, ME)) == 3
    assert len(take(db, YOU)) == 3


def test_what_waits_is_resumed_by_one(db: Database) -> None:
    some = [
        workflow(state=s) for s in (WorkflowState.WAITING, WorkflowState.UNDO_WAITING, WorkflowState.READY)
    ]
    insert(db, *some)
    mine = db.run(lambda tx: workflows.resume(tx, ME, [row.id for row in some]))
    assert {(row.id, row.state, row.fence) for row in mine} == {(r.id, r.state, 2) for r in some[:2]}
    assert db.run(lambda tx: workflows.resume(tx, ME, [])) == []


def test_moving_on_needs_owner_and_fence(db: Database, clock: ShownClock) -> None:
    many = [workflow(owner=ME, message="old") for _ in range(6)]
    insert(db, *many)
    (taken,) = take(db, YOU, 1, (ME,))
    moves = [
        Advance(
            id=row.id, fence=1, state=WorkflowState.WAITING, step=2 + n, notes=b'{"n":%d}' % n, release=True
        )
        for n, row in enumerate(many)
    ]
    clock.show(3)
    before = db.statements
    moved = db.run(lambda tx: workflows.advance(tx, ME, moves))
    assert db.statements - before == 2
    assert moved == {row.id for row in many} - {taken.id}
    for n, row in enumerate(many):
        shown = get(db, row)
        if row.id in moved:
            assert (shown.step, shown.notes, shown.message, shown.owner) == (
                2 + n,
                b'{"n":%d}' % n,
                "old",
                None,
            )
            assert (shown.state, shown.updated_at) == (WorkflowState.WAITING, at(3))
        else:
            assert (shown.owner, shown.fence, shown.step) == (YOU, 2, 0)
    assert db.run(lambda tx: workflows.advance(tx, YOU, moves[:1])) == set()


def test_changes_of_different_kinds_go_together(db: Database, clock: ShownClock) -> None:
    some = [workflow(owner=ME) for _ in range(4)]
    insert(db, *some)
    why = Explanation(considered=2, filters=(FilterVerdict(name="RamFilter", before=2, after=0),))
    moves = [
        Advance(id=some[0].id, fence=1, state=WorkflowState.READY, step=1, attempt=2),
        Advance(
            id=some[1].id,
            fence=1,
            state=WorkflowState.FAILED,
            step=0,
            message="no",
            explanation=why,
            finished=True,
        ),
        Advance(id=some[2].id, fence=1, state=WorkflowState.DONE, step=3, finished=True, release=True),
        Advance(id=some[3].id, fence=9, state=WorkflowState.DONE, step=3, finished=True, release=True),
    ]
    clock.show(5)
    assert db.run(lambda tx: workflows.advance(tx, ME, moves)) == {row.id for row in some[:3]}
    ready, failed, done, kept = (get(db, row) for row in some)
    assert (ready.attempt, ready.owner, ready.finished_at) == (2, ME, None)
    assert (failed.finished_at, failed.explanation, failed.message) == (at(5), why, "no")
    assert (done.state, done.owner) == (WorkflowState.DONE, None)
    assert kept == some[3]
    assert db.read(lambda tx: workflows.running_of(tx, [failed.instance_id, ready.instance_id])) == [ready]
    tally = db.read(workflows.counts)[WorkflowState.READY]
    assert (tally.count, tally.oldest) == (2, NOW)


def job(row: WorkflowRow, number: int, **values: Any) -> JobRow:
    made: dict[str, Any] = {
        "id": f"{row.id}:build:1:{number}",
        "workflow_id": row.id,
        "instance_id": row.instance_id,
        "request_id": row.request_id,
        "step": "build",
        "event": "compute_build",
        "host": "h1",
        "topic": "compute",
        "fence": 5,
        "order": b'{"x":"\xc3\xbc"}',
        "started_at": at(number),
        "deadline_s": 1.5,
    }
    return JobRow(**(made | values))


def outcome(one: JobRow, **values: Any) -> JobOutcome:
    made: dict[str, Any] = {
        "job_id": one.id,
        "instance_id": one.instance_id,
        "fence": 5,
        "host": "h1",
        "verdict": Verdict.DONE,
    }
    return JobOutcome(**(made | values))


def test_jobs_are_finished_once(db: Database) -> None:
    row = workflow()
    many = [job(row, n) for n in range(5)]
    event = job(
        row, 9, topic="", order=None, finished_at=at(9), result="Success", details="d", deadline_s=None
    )
    db.run(lambda tx: jobs.insert(tx, [*many, event]))
    db.run(lambda tx: jobs.insert(tx, many[:2]))
    assert db.read(lambda tx: jobs.open_for_hosts(tx, ["h1"], "compute")) == many
    assert db.read(lambda tx: jobs.open_for_hosts(tx, ["h1"], "network")) == []
    elsewhere = job(workflow(), 7, host="h2")
    db.run(lambda tx: jobs.insert(tx, [elsewhere]))
    hosts = ["h1", "h2", "h3"]
    assert db.read(lambda tx: jobs.open_for_hosts(tx, hosts, "compute")) == [*many, elsewhere]
    db.run(lambda tx: jobs.finish(tx, [outcome(elsewhere)], at(8)))
    light = [msgspec.structs.replace(one, order=None) for one in many]
    assert db.read(lambda tx: jobs.open_of(tx, [row.id])) == light
    assert db.read(lambda tx: jobs.orders(tx, [one.id for one in [*many, event]])) == [
        one.order for one in many
    ]
    failed = outcome(many[0], verdict=Verdict.FAILED, error=("NotFound", {"what": "Disk", "id": "ü"}))
    (kept,) = db.run(lambda tx: jobs.finish(tx, [failed], at(20)))
    assert (kept.outcome, kept.result, kept.details) == (failed, "Error", "Disk ü could not be found.")
    assert kept.finished_at == at(20)
    rest = [outcome(one) for one in many[:4]] + [outcome(many[4], fence=4)]
    assert [one.id for one in db.run(lambda tx: jobs.finish(tx, rest, at(21)))] == [
        one.id for one in many[1:4]
    ]
    assert db.run(lambda tx: jobs.finish(tx, rest, at(22))) == []
    assert [one.result for one in db.read(lambda tx: jobs.of_workflows(tx, [row.id]))] == [
        "Error", "Success", "Success", "Success", None, "Success",
    ]  # fmt: skip
    assert db.run(lambda tx: jobs.sent(tx, [one.id for one in many])) == 1
    assert db.read(lambda tx: jobs.open_for_hosts(tx, ["h1"], "compute"))[0].sends == 2


def test_actions_of_an_instance_newest_first(db: Database) -> None:
    instance = ids.new_uuid()
    many = [workflow(instance_id=instance, started_at=at(n // 2), updated_at=at(n)) for n in range(7)]
    insert(db, *many, workflow())

    def actions(**query: Any) -> list[str]:
        return [
            w.request_id for w in db.read(lambda tx: history.of_instance(tx, instance, ActionQuery(**query)))
        ]

    order = sorted(many, key=lambda row: (row.started_at, row.id), reverse=True)
    requests = [row.request_id for row in order]
    assert actions() == requests
    assert actions(limit=0) == []
    assert actions(limit=3) == requests[:3]
    assert actions(limit=3, marker=requests[2]) == requests[3:6]
    assert set(actions(changes_since=at(3), changes_before=at(5))) == {row.request_id for row in many[3:6]}
    with pytest.raises(MarkerNotFound):
        actions(marker="req-x")
    page = db.read(lambda tx: workflows.running(tx, 5))
    assert len(page) + len(db.read(lambda tx: workflows.running(tx, after_id=page[-1].id))) == 8


def test_an_action_is_shown_with_its_steps(db: Database) -> None:
    row = workflow()
    insert(db, row)
    db.run(lambda tx: jobs.insert(tx, [job(row, 1, result="Success", finished_at=at(5)), job(row, 0)]))
    found = db.read(lambda tx: history.by_request(tx, row.instance_id, row.request_id))
    assert found is not None
    assert type(found).__name__ == "WorkflowRecord"
    assert [(s.event, s.result, s.started_at, s.finished_at) for s in found.steps] == [
        ("compute_build", None, at(0), None),
        ("compute_build", "Success", at(1), at(5)),
    ]
    assert db.read(lambda tx: history.by_request(tx, row.instance_id, "req-x")) is None


def test_what_waits_for_reports(db: Database) -> None:
    some = [
        workflow(state=s) for s in (WorkflowState.WAITING, WorkflowState.UNDO_WAITING, WorkflowState.READY)
    ]
    insert(db, *some)
    one = job(some[0], 0)
    db.run(lambda tx: jobs.insert(tx, [one, job(some[0], 1, finished_at=at(1))]))
    found = db.read(lambda tx: history.waiting(tx, 10))
    pending = jobs.Pending(
        one.id, one.workflow_id, one.topic, HostName(one.host or ""), one.deadline_s or 0.0
    )
    assert found == {some[0].id: [pending], some[1].id: []}
    last = max(row.id for row in some[:2])
    assert db.read(lambda tx: history.waiting(tx, 10, last)) == {}


def test_superseding_ends_what_runs(db: Database, clock: ShownClock) -> None:
    one, other = workflow(owner=ME, state=WorkflowState.WAITING), workflow(owner=ME)
    insert(db, one, other)
    db.run(lambda tx: jobs.insert(tx, [job(one, 0), job(other, 0)]))
    clock.show(7)
    ended = db.run(lambda tx: history.supersede(tx, [one.instance_id], message="deleted"))
    assert ended == [one]
    shown = get(db, one)
    assert (shown.state, shown.fence, shown.owner) == (WorkflowState.CANCELLED, 2, None)
    assert (shown.message, shown.finished_at) == ("deleted", at(7))
    (over,) = db.read(lambda tx: jobs.of_workflows(tx, [one.id]))
    assert (over.result, over.details, over.finished_at) == ("Error", "deleted", at(7))
    assert len(db.read(lambda tx: jobs.open_of(tx, [one.id, other.id]))) == 1
    move = Advance(id=one.id, fence=1, state=WorkflowState.READY, step=1)
    assert db.run(lambda tx: workflows.advance(tx, ME, [move])) == set()
    before = db.statements
    assert db.run(lambda tx: history.supersede(tx, [one.instance_id])) == []
    assert db.statements - before == 1


def test_owners_beat_until_they_are_dropped(db: Database) -> None:
    for _ in range(3):
        db.run(lambda tx: owners.beat(tx, ME, "c1"))
    assert db.read(owners.all) == [(ME, 3)]
    db.run(lambda tx: owners.drop(tx, ME))
    assert db.read(owners.all) == []
    assert not db.once(lambda tx: owners.beat_known(tx, ME))
    db.run(lambda tx: owners.beat(tx, ME, "c1"))
    assert db.once(lambda tx: owners.beat_known(tx, ME))
    assert db.read(owners.all) == [(ME, 2)]
