"""A workflow starts from what its instance is, never from what it was when it was read."""

from __future__ import annotations

import pytest

from nova.conductor.engine.engine import Engine
from nova.conductor.services import admission
from nova.conductor.workflows import CATALOG
from nova.conductor.workflows.inputs import DeleteInput
from nova.conductor.world import World
from nova.context import RequestContext
from nova.db import instances, workflows
from nova.db.engine import TryAgain
from nova.db.instances import Swap
from nova.lifecycle.actions import ACTIONS
from nova.objects.ids import HostName
from tests.contract.db.makers import instance


def test_a_delete_does_not_start_from_a_stale_instance(world: World, ctx: RequestContext) -> None:
    """One that was read before its host was committed would know of no guest to destroy."""
    world.engine = Engine(world, CATALOG)
    stale = instance()
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
