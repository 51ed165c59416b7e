"""What hosts owe is asked for, also when nobody waits for it any more."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import pytest

from nova.clock import StoppedClock
from nova.conductor.engine.engine import Engine
from nova.conductor.engine.step import COMPUTE, Ordered, Run, Step, Workflow
from nova.conductor.reconcile.late_jobs import LateJobs
from nova.conductor.world import World
from nova.db import workflows
from nova.objects.base import Value
from nova.objects.ids import HostName, JobId, WorkflowId
from nova.objects.jobs import Destroy, Job, JobOutcome, Verdict
from nova.objects.workflow import WorkflowState
from tests.contract.db.makers import workflow

HOST = HostName("h1")


def order(world: World, tx: Any, runs: Sequence[Run]) -> None:
    del world, tx
    for run in runs:
        run.orders.append(
            Ordered(
                topic=COMPUTE, host=HOST, order=Destroy(), fence=1, event="e", deadline_s=60.0, waits=False
            )
        )


class WaitsForNobody(Workflow):
    """Gives an order to a host that seems to be down, and is done."""

    kind = "unawaited"
    input_type = Value
    steps = (Step(name="away", do=order, no_undo="a test"),)


class Agent:
    """A host that never got what was cast to it."""

    def __init__(self) -> None:
        self.got: list[Job] = []
        self.asked = 0

    def host(self, name: str) -> Agent:
        assert name == HOST
        return self

    def run_jobs(self, ctx: Any, jobs: list[Job]) -> None:
        self.got += jobs

    def job_status(self, ctx: Any, jobs: list[JobId]) -> list[JobOutcome]:
        self.asked += 1
        known = {job.id: job for job in self.got}
        return [
            JobOutcome(
                job_id=job,
                instance_id=known[job].instance_id if job in known else self.lost[job].instance_id,
                fence=1,
                verdict=Verdict.DONE if job in known else Verdict.UNKNOWN,
                host=HOST,
            )
            for job in jobs
        ]

    lost: dict[JobId, Job] = {}

    def lose(self) -> None:
        """Forget what came, as a queue that is deleted does."""
        self.lost = {job.id: job for job in self.got}
        self.got = []


@pytest.fixture
def agent(world: World) -> Agent:
    agent: Any = Agent()
    world.compute = agent
    world.engine = Engine(world, [WaitsForNobody])
    row = workflow(kind="unawaited", owner=world.owner, input=b"{}", notes=b"{}")
    runs = world.db.run(lambda tx: world.engine.admit(tx, [row], [None]))
    world.engine._drive(runs)
    ended = world.db.read(lambda tx: workflows.get_many(tx, [WorkflowId(row.id)]))
    assert ended[WorkflowId(row.id)].state is WorkflowState.DONE
    assert len(agent.got) == 1
    agent.lose()
    found: Agent = agent
    return found


def beat(world: World, count: int) -> None:
    world.liveness.services.observe([((HOST, "nova-compute"), count)], whole=False)


def passed(world: World, seconds: float) -> None:
    clock: Any = world.clock
    stopped: StoppedClock = clock
    stopped.advance(seconds)


def test_an_order_of_an_ended_workflow_that_was_lost_is_sent_again(world: World, agent: Agent) -> None:
    late = LateJobs(world)
    beat(world, 1)
    late.look()
    passed(world, world.settings.job_ask_s)
    beat(world, 2)
    late.look()
    assert [job.id for job in agent.got] == list(agent.lost)
    # Long past its deadline it is asked for still, until the host says that it is done.
    passed(world, 3600)
    beat(world, 3)
    late.look()
    asked = agent.asked
    passed(world, 3600)
    beat(world, 4)
    late.look()
    assert agent.asked == asked


class Meeting:
    """Hosts that answer only when all of them were asked."""

    def __init__(self, world: World, hosts: int) -> None:
        self._world = world
        self.met = threading.Barrier(hosts)
        self.broken = 0

    def host(self, name: str) -> Meeting:
        return self

    def run_jobs(self, ctx: Any, jobs: list[Job]) -> None:
        """They are lost."""

    def job_status(self, ctx: Any, jobs: list[JobId]) -> list[JobOutcome]:
        try:
            self.met.wait(20)
        except threading.BrokenBarrierError:
            self.broken += 1
        return []


def test_hosts_are_asked_side_by_side(world: World) -> None:
    meeting: Any = Meeting(world, 5)
    world.compute = meeting
    world.engine = Engine(world, [WaitsForNobody])
    for number in range(5):
        row = workflow(kind="unawaited", owner=world.owner, input=b"{}", notes=b"{}")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(f"{__name__}.HOST", HostName(f"h{number}"))
            world.engine._drive(world.db.run(lambda tx, r=row: world.engine.admit(tx, [r], [None])))
    late = LateJobs(world)
    beats = [((f"h{number}", "nova-compute"), 1) for number in range(5)]
    world.liveness.services.observe(beats, whole=True)
    late.look()
    passed(world, world.settings.job_ask_s)
    late.look()
    assert meeting.broken == 0 and not meeting.met.broken and meeting.met.n_waiting == 0


def test_a_host_that_is_down_is_left_alone(world: World, agent: Agent) -> None:
    late = LateJobs(world)
    late.look()
    passed(world, 3600)
    late.look()
    assert agent.asked == 0 and agent.got == []
