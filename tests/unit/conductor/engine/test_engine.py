"""The engine on a real database: reports that come one by one, leaving, cancelling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from nova import ids
from nova.conductor.engine.engine import Engine
from nova.conductor.engine.step import COMPUTE, Ordered, Run, Step, Workflow
from nova.conductor.workflows.delete import Delete
from nova.conductor.world import World
from nova.db import instances, jobs, quotas, workflows
from nova.errors.database import CommitUnknown
from nova.errors.virt import ActionFailed
from nova.objects.base import Value
from nova.objects.ids import HostName, WorkflowId
from nova.objects.jobs import Destroy, Job, JobOutcome, Verdict
from nova.objects.states import Task
from nova.objects.workflow import WorkflowState
from tests.contract.db.makers import instance, workflow
from tests.unit.conductor.conftest import Heard

HOSTS = ("h1", "h2", "h3")
SETTLED: list[list[str]] = []
UNDONE: list[list[str]] = []


def order(world: World, tx: Any, runs: Sequence[Run]) -> None:
    del world, tx
    for run in runs:
        for host in HOSTS:
            run.orders.append(
                Ordered(
                    topic=COMPUTE, host=HostName(host), order=Destroy(), fence=1, event="e", deadline_s=60.0
                )
            )


def settle(world: World, tx: Any, runs: Sequence[Run]) -> None:
    del world, tx
    for run in runs:
        SETTLED.append(sorted(o.host for o in run.outcomes))
        if any(o.verdict is not Verdict.DONE for o in run.outcomes):
            run.fail(ActionFailed(action="all", host="h1", reason="one of them would not"))


def undone(world: World, tx: Any, runs: Sequence[Run]) -> None:
    del world, tx
    UNDONE.extend(sorted(o.host for o in run.outcomes) for run in runs)


class OnThree(Workflow):
    """Waits for three hosts, forward and back."""

    kind = "three"
    input_type = Value
    steps = (Step(name="all", do=order, settle=settle, undo=order, undone=undone),)


@pytest.fixture
def engine(world: World) -> Engine:
    SETTLED.clear()
    UNDONE.clear()
    world.engine = Engine(world, [OnThree])
    return world.engine


def begun(world: World, engine: Engine) -> WorkflowId:
    row = workflow(kind="three", owner=world.owner, input=b"{}", notes=b"{}")
    runs = world.db.run(lambda tx: engine.admit(tx, [row], [None]))
    engine._drive(runs)
    return WorkflowId(row.id)


def sent(world: World) -> list[Job]:
    compute: Any = world.compute
    heard: Heard = compute
    return [job for _, _, some in heard.calls for job in some]


def answer(job: Job, verdict: Verdict = Verdict.DONE) -> JobOutcome:
    assert job.host is not None
    return JobOutcome(
        job_id=job.id, instance_id=job.instance_id, fence=job.fence, verdict=verdict, host=job.host
    )


def state(world: World, row: WorkflowId) -> WorkflowState:
    return world.db.read(lambda tx: workflows.get_many(tx, [row]))[row].state


def test_a_step_that_waits_for_several_hosts_is_settled_with_what_each_of_them_told(
    world: World, engine: Engine
) -> None:
    row = begun(world, engine)
    first, second, third = sent(world)
    engine.report([answer(first, Verdict.FAILED)])
    engine.report([answer(second)])
    assert SETTLED == []
    engine.report([answer(third)])
    assert SETTLED == [["h1", "h2", "h3"]]
    # The failure of the first was not forgotten: the run goes back, and waits for all three again.
    assert state(world, row) is WorkflowState.UNDO_WAITING
    for job in sent(world)[3:]:
        engine.report([answer(job)])
    assert UNDONE == [["h1", "h2", "h3"]]
    assert state(world, row) is WorkflowState.FAILED


def test_reports_that_come_together_are_settled_together(world: World, engine: Engine) -> None:
    row = begun(world, engine)
    engine.report([answer(job) for job in sent(world)])
    assert SETTLED == [["h1", "h2", "h3"]]
    assert state(world, row) is WorkflowState.DONE


def test_what_a_conductor_leaves_others_may_take_at_once(world: World, engine: Engine) -> None:
    row = workflow(kind="three", owner=world.owner, input=b"{}", notes=b"{}")
    runs = world.db.run(lambda tx: engine.admit(tx, [row], [None]))
    engine.wake(runs)
    engine.stop(1.0)
    taken = world.db.run(lambda tx: workflows.take(tx, ids.new_uuid(), 10))
    assert [one.id for one in taken] == [row.id]


def test_nothing_is_left_open_when_all_have_told(world: World, engine: Engine) -> None:
    row = begun(world, engine)
    for job in sent(world):
        engine.report([answer(job)])
    assert world.db.read(lambda tx: jobs.open_of(tx, [row])) == []


def lose(world: World, moment: str, error: Exception) -> None:
    """Lose the answer to the next commit: one that happened (``committed``) or one that did not."""
    lost = iter([True])

    def disturb(at: str) -> None:
        if at == moment and next(lost, False):
            raise error

    world.db.disturb = disturb


LOST = [("committed", ConnectionResetError("cable pulled")), ("commit", CommitUnknown())]


@pytest.mark.parametrize(("moment", "error"), LOST)
def test_after_a_lost_answer_to_a_commit_a_run_goes_on_at_once(
    world: World, engine: Engine, moment: str, error: Exception
) -> None:
    row = workflow(kind="three", owner=world.owner, input=b"{}", notes=b"{}")
    runs = world.db.run(lambda tx: engine.admit(tx, [row], [None]))
    engine.wake(runs)
    lose(world, moment, error)
    engine._drive(engine._inbox.get(1))
    world.db.disturb = None
    if moment == "committed":
        # It waits, and its orders are out.
        assert engine.held() == set()
    else:
        assert engine.held() == {WorkflowId(row.id)}
        engine._drive(engine._inbox.get(1))
    assert state(world, WorkflowId(row.id)) is WorkflowState.WAITING
    engine.report([answer(job) for job in sent(world)])
    assert SETTLED == [["h1", "h2", "h3"]]


@pytest.mark.parametrize(("moment", "error"), LOST)
def test_reports_are_taken_once_though_the_answer_to_their_commit_is_lost(
    world: World, engine: Engine, moment: str, error: Exception
) -> None:
    row = begun(world, engine)
    lose(world, moment, error)
    engine.report([answer(job, Verdict.FAILED) for job in sent(world)])
    world.db.disturb = None
    # They are in, and what goes back was ordered.
    assert state(world, row) is WorkflowState.UNDO_WAITING
    assert len(sent(world)) == 6
    engine.report([answer(job) for job in sent(world)[3:]])
    assert state(world, row) is WorkflowState.FAILED
    assert engine.held() == set()


def test_what_a_delete_gives_back_is_given_back_once_though_its_run_is_in_hand_twice(world: World) -> None:
    engine = world.engine = Engine(world, [Delete])
    gone, stays = (instance(task_state=Task.DELETING) for _ in range(2))
    row = workflow(
        kind="delete", instance_id=gone.id, owner=world.owner, input=b'{"reason":"req"}', notes=b"{}"
    )
    unit = {"instances": 1, "cores": gone.flavor.vcpus, "ram": gone.flavor.ram_mb}

    def write(tx: Any) -> list[Run]:
        instances.insert(tx, [gone, stays])
        quotas.reserve(tx, gone.project_id, {name: 2 * n for name, n in unit.items()}, {})
        return engine.admit(tx, [row], [gone])

    engine.wake(world.db.run(write))
    # As after a commit whose answer was lost, or when two conductors took each other for dead.
    engine.adopt([WorkflowId(row.id)])
    while engine.held():
        engine._drive(engine._inbox.get(10))
    assert state(world, WorkflowId(row.id)) is WorkflowState.DONE
    used = world.db.read(lambda tx: quotas.used(tx, gone.project_id))
    assert {name: used[name] for name in unit} == unit
