"""Refusals: under one key with what would have been granted, shown nowhere, and forgotten in time."""

from __future__ import annotations

import concurrent.futures

import pytest

from nova import ids
from nova.context import RequestContext
from nova.db import audit_history, call_answers, history, refusals, workflows
from nova.db.engine import Database, Tx
from nova.errors.database import Duplicate
from nova.objects.ids import WorkflowId
from nova.objects.workflow import ActionQuery
from tests.contract.db.makers import ShownClock, workflow

CTX = RequestContext(request_id="req-1", user_id="u", project_id="p")
ERROR = '["InstanceLocked",{"id":"i"}]'
ROUNDS, RACERS = 4, 8


def refuse(tx: Tx, workflow_id: str) -> None:
    refusals.insert(tx, CTX, WorkflowId(workflow_id), "stop", ERROR)


def test_a_request_is_granted_or_refused_but_not_both(db: Database) -> None:
    granted, refused = workflow(), workflow()
    db.run(lambda tx: workflows.insert(tx, [granted]))
    with pytest.raises(Duplicate):
        db.once(lambda tx: refuse(tx, granted.id))
    assert db.read(lambda tx: refusals.find(tx, granted.id)) == ""
    assert db.read(lambda tx: refusals.find(tx, refused.id)) is None
    db.once(lambda tx: refuse(tx, refused.id))
    for late in (lambda tx: workflows.insert(tx, [workflow(), refused]), lambda tx: refuse(tx, refused.id)):
        with pytest.raises(Duplicate):
            db.run(late)
    assert db.read(lambda tx: refusals.find(tx, refused.id)) == ERROR
    assert db.read(lambda tx: workflows.existing(tx, [granted.id, refused.id])) == {granted.id}


def test_copies_at_once_leave_one_answer(db: Database) -> None:
    for _ in range(ROUNDS):
        wanted = workflow()

        def answer(number: int, wanted: workflows.WorkflowRow = wanted) -> bool | None:
            try:
                if number % 2:
                    db.run(lambda tx: workflows.insert(tx, [wanted]))
                else:
                    db.once(lambda tx: refuse(tx, wanted.id))
            except Duplicate:
                return None
            return bool(number % 2)

        with concurrent.futures.ThreadPoolExecutor(RACERS) as pool:
            told = [found for found in pool.map(answer, range(RACERS)) if found is not None]
        assert len(told) == 1
        kept = db.read(lambda tx, i=wanted.id: refusals.find(tx, i))
        assert kept == ("" if told[0] else ERROR)


def test_no_history_shows_a_refusal(db: Database) -> None:
    gone = ids.new_uuid()
    db.once(lambda tx: refuse(tx, gone))
    assert db.read(lambda tx: history.of_instance(tx, workflow().instance_id, ActionQuery())) == []
    assert db.read(workflows.running) == []
    assert db.read(workflows.counts) == {}
    assert db.read(lambda tx: [list(rule(tx)) for rule in audit_history.RULES]) == [[]] * len(
        audit_history.RULES
    )


def test_old_ones_are_forgotten(db: Database, clock: ShownClock) -> None:
    lasting, old, new = workflow(), ids.new_uuid(), ids.new_uuid()
    db.run(lambda tx: workflows.insert(tx, [lasting]))
    db.once(lambda tx: refuse(tx, old))
    clock.show(60)
    db.once(lambda tx: refuse(tx, new))
    clock.show(100)
    assert db.run(lambda tx: refusals.expire(tx, 60.0, 10)) == 1
    assert db.read(lambda tx: refusals.find(tx, WorkflowId(old))) is None
    assert db.read(lambda tx: refusals.find(tx, WorkflowId(new))) == ERROR
    assert db.read(lambda tx: workflows.existing(tx, [lasting.id])) == {lasting.id}


def test_answers_and_refusals_of_calls_share_a_key(db: Database) -> None:
    db.once(lambda tx: call_answers.insert(tx, "a", ERROR, refused=True))
    db.once(lambda tx: call_answers.insert(tx, "b", "true"))
    for call in ("a", "b"):
        with pytest.raises(Duplicate):
            db.once(lambda tx, c=call: call_answers.insert(tx, c, "1"))
    assert db.read(lambda tx: call_answers.get(tx, "a")) == call_answers.Kept(ERROR, refused=True)
    assert db.read(lambda tx: call_answers.get(tx, "b")) == call_answers.Kept("true", refused=False)
    assert db.read(lambda tx: call_answers.get(tx, "c")) is None
