"""A workflow starts from what its instance is, never from what it was when it was read."""

from __future__ import annotations

import datetime

import msgspec
import pytest

from nova import ids
from nova.conductor.engine.engine import Engine
from nova.conductor.services import admission
from nova.conductor.services.actions import Asked, act, acts, start_many
from nova.conductor.workflows import CATALOG
from nova.conductor.workflows.act import order
from nova.conductor.workflows.inputs import DeleteInput
from nova.conductor.world import World
from nova.context import RequestContext
from nova.db import instances, workflows
from nova.db.engine import TryAgain
from nova.db.instances import Swap
from nova.errors import BadRequest
from nova.errors.servers import InstanceInWrongState, InstanceNotFound
from nova.lifecycle.actions import ACTIONS
from nova.objects.ids import HostName, InstanceId
from nova.objects.states import Task, Vm
from tests.unit.conductor.services.makers import instance


def test_a_delete_does_not_start_from_a_stale_instance(world: World, ctx: RequestContext) -> None:
    """One that was read before its host was committed would know of no guest to destroy."""
    world.engine = Engine(world, CATALOG)
    stale = instance(host=None, node=None)
    world.db.run(lambda tx: instances.insert(tx, [stale]))
    world.db.run(lambda tx: instances.swap(tx, [Swap(id=stale.id, host=HostName("h1"))]))
    delete, wish = ACTIONS["delete"], DeleteInput(reason=ctx.request_id)
    with pytest.raises(TryAgain), world.db.tx() as tx:
        admission.start(world, tx, ctx, delete, stale, wish)
    assert world.db.read(lambda tx: workflows.running_of(tx, [stale.id])) == []
    fresh = world.db.read(lambda tx: instances.get(tx, stale.id))
    assert fresh is not None
    (run,) = world.db.run(lambda tx: admission.start(world, tx, ctx, delete, fresh, wish))
    assert run.known.host == "h1"


def test_actions_that_meet_start_together_and_leave_out_what_they_cannot_judge(
    world: World, ctx: RequestContext, other: RequestContext
) -> None:
    world.engine = Engine(world, CATALOG)
    fine, busy, stopped, foreign, twice, gone = (
        instance(),
        instance(task_state=Task.REBOOTING),
        instance(vm_state=Vm.STOPPED),
        instance(project_id="p9"),
        instance(),
        instance(deleted_at=datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC), vm_state=Vm.DELETED),
    )
    doomed = instance()
    everything = [fine, busy, stopped, foreign, twice, gone, doomed]
    world.db.run(lambda tx: instances.insert(tx, everything))
    stop = ACTIONS["stop"]
    several = [Asked(ctx, one.id, stop) for one in (fine, busy, stopped, foreign, twice, gone)]
    several += [Asked(other, twice.id, stop), Asked(ctx, doomed.id, ACTIONS["delete"])]
    runs = world.db.run(lambda tx: start_many(world, tx, several))
    assert set(runs) == {0, 4, 7}
    found = world.db.read(lambda tx: instances.states(tx, [one.id for one in everything]))
    assert {i for i, state in found.items() if state.task_state is Task.POWERING_OFF} == {fine.id, twice.id}
    assert found[doomed.id].task_state is Task.DELETING
    running = world.db.read(lambda tx: workflows.running_of(tx, [one.id for one in everything]))
    assert {(row.instance_id, row.kind) for row in running} == {
        (fine.id, "act"),
        (twice.id, "act"),
        (doomed.id, "delete"),
    }
    assert runs[0].known.revision == found[fine.id].revision
    # The second copy of a request that was granted: only the one admitted alone knows the answer.
    assert world.db.run(lambda tx: start_many(world, tx, [several[0], several[7]])) == {}


def test_what_was_asked_beside_the_action_reaches_the_host(world: World, ctx: RequestContext) -> None:
    world.engine = Engine(world, CATALOG)
    one = instance()
    world.db.run(lambda tx: instances.insert(tx, [one]))
    asked = Asked(ctx, one.id, ACTIONS["stop"], {"gently": True})
    (run,) = world.db.run(lambda tx: start_many(world, tx, [asked])).values()
    run.instance = run.known
    world.db.run(lambda tx: order(world, tx, [run]))
    (ordered,) = run.orders
    assert ordered.order.options == {"gently": True}


@pytest.mark.parametrize("name", ["create", "createImage", "nothing"])
def test_what_has_a_request_of_its_own_is_no_action(world: World, ctx: RequestContext, name: str) -> None:
    world.engine = Engine(world, CATALOG)
    one = instance()
    world.db.run(lambda tx: instances.insert(tx, [one]))
    with pytest.raises(BadRequest, match=name):
        act(world, acts(world), ctx, (one.id, name), {})
    assert world.db.read(lambda tx: workflows.running_of(tx, [one.id])) == []


def test_deletes_that_meet_leave_alone_what_began_since_their_instance_was_read(
    world: World, ctx: RequestContext
) -> None:
    """A snapshot that began meanwhile has an image to take away: only the delete alone sees to that."""
    world.engine = Engine(world, CATALOG)
    read, fine = instance(), instance()
    world.db.run(lambda tx: instances.insert(tx, [read, fine]))
    stop, delete = ACTIONS["stop"], ACTIONS["delete"]
    before = msgspec.structs.replace(ctx, request_id="req-before")
    world.db.run(lambda tx: start_many(world, tx, [Asked(before, read.id, stop)]))
    begins = [admission.Begin(ctx, one, DeleteInput(reason=ctx.request_id)) for one in (read, fine)]
    runs = world.db.run(lambda tx: admission.start_many(world, tx, delete, begins))
    assert set(runs) == {fine.id}
    running = world.db.read(lambda tx: workflows.running_of(tx, [read.id, fine.id]))
    assert {(row.instance_id, row.kind) for row in running} == {(read.id, "act"), (fine.id, "delete")}


def test_statements_of_actions_do_not_grow_with_their_number(world: World, ctx: RequestContext) -> None:
    world.engine = Engine(world, CATALOG)

    def cost(count: int, action: str) -> int:
        made = [instance() for _ in range(count)]
        world.db.run(lambda tx: instances.insert(tx, made))
        before = world.db.statements
        several = [Asked(ctx, one.id, ACTIONS[action]) for one in made]
        assert len(world.db.run(lambda tx: start_many(world, tx, several))) == count
        return world.db.statements - before

    for action in ("stop", "delete"):
        assert cost(2, action) == cost(9, action)


def test_each_action_gets_its_own_answer(world: World, ctx: RequestContext) -> None:
    world.engine = Engine(world, CATALOG)
    fine, stopped = instance(), instance(vm_state=Vm.STOPPED)
    world.db.run(lambda tx: instances.insert(tx, [fine, stopped]))
    gate = acts(world)
    asked = [Asked(ctx, i, ACTIONS["stop"]) for i in (fine.id, stopped.id, InstanceId(ids.new_uuid()))]
    assert gate._admit(asked) == [(None,), (), ()]
    assert len(world.engine.held()) == 1
    gate.ask(asked[0])  # comes a second time
    with pytest.raises(InstanceInWrongState):
        gate.ask(asked[1])
    with pytest.raises(InstanceNotFound):
        gate.ask(asked[2])
    assert len(world.db.read(lambda tx: workflows.running_of(tx, [fine.id, stopped.id]))) == 1
