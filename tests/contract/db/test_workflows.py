"""Workflows and jobs: one owner at a time, fenced, moved on in batches."""

from __future__ import annotations

import msgspec
import pytest

from nova import ids
from nova.db import jobs, owners, workflows
from nova.db.engine import Database
from nova.db.jobs import StoredJob
from nova.db.workflows import Advance, Stored
from nova.errors.database import MarkerNotFound
from nova.objects.explanation import Explanation, FilterVerdict
from nova.objects.jobs import Act, Job, JobOutcome, Verdict
from nova.objects.workflow import ActionQuery, StepRecord, WorkflowState
from tests.contract.db.makers import NOW, at, workflow

ME, YOU = "me", "you"


def create(db: Database, *stored: Stored) -> None:
    db.run(lambda tx: workflows.create(tx, stored))


def test_what_is_stored_comes_back(db: Database) -> None:
    step = StepRecord(
        event="compute_build", started_at=NOW, finished_at=at(1), result="Error", details='a "b"'
    )
    one = workflow(owner=ME, message="ü", steps=(step,), explanation=Explanation(considered=3))
    one = msgspec.structs.replace(
        one, input=msgspec.Raw(b'{"x":["\xc3\xbc"]}'), notes=msgspec.Raw(b"[1]"), deadline_s=12.5
    )
    create(db, one, workflow())
    assert db.read(lambda tx: workflows.show(tx, [one.record.id])) == [one]
    assert db.read(lambda tx: workflows.owned_by(tx, ME)) == [one]


def test_taking_is_exclusive_and_fences(db: Database) -> None:
    many = [workflow(started_at=at(n)) for n in range(5)]
    create(db, *many, workflow(owner="dead"), workflow(state=WorkflowState.DONE))
    mine = db.run(lambda tx: workflows.take(tx, ME, limit=3))
    assert [s.record.id for s in mine] == [s.record.id for s in many[:3]]
    assert {(s.record.owner, s.record.fence) for s in mine} == {(ME, 2)}
    assert len(db.run(lambda tx: workflows.take(tx, YOU))) == 2
    assert db.run(lambda tx: workflows.take(tx, YOU)) == []
    assert len(db.run(lambda tx: workflows.take(tx, YOU, dead=["dead"]))) == 1
    assert db.run(lambda tx: workflows.leave(tx, ME)) == 3
    assert len(db.run(lambda tx: workflows.take(tx, YOU))) == 3


def test_moving_on_needs_owner_and_fence(db: Database) -> None:
    many = [workflow(owner=ME) for _ in range(6)]
    create(db, *many)
    db.run(lambda tx: workflows.take(tx, YOU, dead=[ME], limit=1))
    moves = [
        Advance(
            id=s.record.id,
            fence=1,
            state=WorkflowState.WAITING,
            step=2 + n,
            notes=msgspec.Raw(b'{"n":%d}' % n),
            deadline_s=n / 2,
            message="it's on",
            steps=(StepRecord(event=f"e{n}", started_at=NOW),),
        )
        for n, s in enumerate(many)
    ]
    before = db.statements
    moved = db.run(lambda tx: workflows.advance(tx, ME, moves, at(3)))
    assert db.statements - before == 2
    assert len(moved) == 5
    after = {s.record.id: s for s in db.read(lambda tx: workflows.show(tx, [s.record.id for s in many]))}
    for n, shown in enumerate(after[s.record.id] for s in many):
        if shown.record.id in moved:
            assert (shown.record.step, shown.record.steps[0].event, shown.deadline_s) == (
                2 + n,
                f"e{n}",
                n / 2,
            )
            assert bytes(shown.notes) == b'{"n":%d}' % n
            assert (shown.record.state, shown.record.updated_at) == (WorkflowState.WAITING, at(3))
        else:
            assert (shown.record.owner, shown.record.fence, shown.record.step) == (YOU, 2, 0)
    assert db.run(lambda tx: workflows.advance(tx, YOU, moves[:1], at(4))) == set()


def test_an_end_is_an_end(db: Database) -> None:
    one = workflow(owner=ME)
    create(db, one)
    why = Explanation(considered=2, filters=(FilterVerdict(name="RamFilter", before=2, after=0),))
    end = Advance(
        id=one.record.id, fence=1, state=WorkflowState.FAILED, step=1, message="no", explanation=why
    )
    db.run(lambda tx: workflows.advance(tx, ME, [end], at(5)))
    shown = db.read(lambda tx: workflows.show(tx, [one.record.id]))[0].record
    assert (shown.finished_at, shown.explanation, shown.message) == (at(5), why, "no")
    assert db.read(lambda tx: workflows.running_of(tx, [shown.instance_id])) == []
    assert db.run(lambda tx: workflows.take(tx, YOU, dead=[ME])) == []
    keep = msgspec.structs.replace(end, explanation=msgspec.UNSET, message="still")
    db.run(lambda tx: workflows.advance(tx, ME, [keep], at(6)))
    assert db.read(lambda tx: workflows.show(tx, [one.record.id]))[0].record.explanation == why


def test_actions_of_an_instance_newest_first(db: Database) -> None:
    instance = ids.new_uuid()
    many = [workflow(instance_id=instance, started_at=at(n // 2), updated_at=at(n)) for n in range(7)]
    create(db, *many, workflow())

    def actions(**query: object) -> list[str]:
        asked = ActionQuery(**query)  # type: ignore[arg-type]
        return [w.request_id for w in db.read(lambda tx: workflows.actions_of(tx, instance, asked))]

    order = sorted(many, key=lambda s: (s.record.started_at, s.record.id), reverse=True)
    requests = [s.record.request_id for s in order]
    assert actions() == requests
    assert actions(limit=0) == []
    assert actions(limit=3) == requests[:3]
    assert actions(limit=3, marker=requests[2]) == requests[3:6]
    assert set(actions(changes_since=at(3), changes_before=at(5))) == {s.record.request_id for s in many[3:6]}
    with pytest.raises(MarkerNotFound):
        actions(marker="req-x")
    found = db.read(lambda tx: workflows.action_of(tx, instance, requests[1]))
    assert found == order[1].record
    assert len(db.read(lambda tx: workflows.running_of(tx, [instance]))) == 7
    page = db.read(lambda tx: workflows.running(tx, limit=5))
    assert len(page) + len(db.read(lambda tx: workflows.running(tx, marker=page[-1].record.id))) == 8


def test_owners_beat_until_they_are_forgotten(db: Database) -> None:
    db.run(lambda tx: owners.appear(tx, ME, "c1", NOW))
    db.run(lambda tx: owners.appear(tx, ME, "c1", NOW))
    assert db.once(lambda tx: owners.beat(tx, ME, at(1)))
    assert [(o.id, o.host, o.beats) for o in db.read(owners.all_owners)] == [(ME, "c1", 2)]
    db.run(lambda tx: owners.forget(tx, [ME]))
    assert not db.once(lambda tx: owners.beat(tx, ME, at(2)))


def job(number: int, **values: object) -> StoredJob:
    made = {
        "id": f"w:build:1:{number}",
        "instance_id": ids.new_uuid(),
        "fence": 5,
        "order": Act(action="stop"),
        "host": "h1",
    }
    return StoredJob(job=Job(**made), workflow_id="w", **values)  # type: ignore[arg-type]


def outcome(stored: StoredJob, **values: object) -> JobOutcome:
    made = {
        "job_id": stored.job.id,
        "instance_id": stored.job.instance_id,
        "fence": 5,
        "host": "h1",
        "verdict": Verdict.DONE,
    }
    return JobOutcome(**(made | values))  # type: ignore[arg-type]


def test_jobs_are_finished_once(db: Database) -> None:
    many = [job(n) for n in range(5)]
    db.run(lambda tx: jobs.insert_many(tx, many, NOW))
    db.run(lambda tx: jobs.insert_many(tx, many[:2], NOW))
    assert db.read(lambda tx: jobs.owed(tx, "h1")) == many
    assert db.read(lambda tx: jobs.owed(tx, "h1", "network")) == []
    one = outcome(many[0], error=("BuildFailed", {"reason": "ü"}))
    assert db.run(lambda tx: jobs.finish(tx, [one], at(1))) == {many[0].job.id}
    late = outcome(many[4], fence=4)
    rest = [outcome(s) for s in many[:4]] + [late]
    assert db.run(lambda tx: jobs.finish(tx, rest, at(2))) == {s.job.id for s in many[1:4]}
    shown = db.read(lambda tx: jobs.of_workflows(tx, ["w"]))
    assert [s.state for s in shown] == ["done"] * 4 + ["open"]
    assert shown[0].outcome == one
    assert db.run(lambda tx: jobs.sent_again(tx, [s.job.id for s in many], at(3))) == 1
    assert db.read(lambda tx: jobs.show(tx, [many[4].job.id]))[0].sent == 2
    db.run(lambda tx: jobs.forget(tx, ["w"]))
    assert db.read(lambda tx: jobs.of_workflows(tx, ["w"])) == []
