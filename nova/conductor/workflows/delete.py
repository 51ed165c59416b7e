"""Delete a server, whatever state it is in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from nova.conductor.engine.step import Event, Run, Step, Workflow
from nova.conductor.services.services import hosts_up
from nova.conductor.steps.host import destroy_order, outcome_error
from nova.conductor.steps.place import give_back
from nova.conductor.steps.record import fault_of
from nova.conductor.workflows.inputs import DeleteInput
from nova.db import console_tokens, instances, quotas, server_groups
from nova.lifecycle.actions import ACTIONS
from nova.objects.ids import InstanceId
from nova.objects.states import Power, Vm

if TYPE_CHECKING:
    from nova.conductor.world import World
    from nova.db.engine import Tx


def destroy(world: World, tx: Tx, runs: Sequence[Run]) -> None:
    """Order the guest away; a host that is down owes it, and the delete goes on without waiting."""
    up = hosts_up(world, tx, {run.instance.host for run in runs if run.instance and run.instance.host})
    for run in runs:
        instance = run.instance
        if instance is None or instance.host is None:
            run.events.append(Event(event=ACTIONS["delete"].event))
            continue
        order = destroy_order(instance, instance.host, run.input.reason, waits=instance.host in up)
        run.orders.append(msgspec.structs.replace(order, fence=instance.revision))


def destroyed(world: World, tx: Tx, runs: Sequence[Run]) -> None:
    """A host that could not destroy is asked again, some times."""
    del world, tx
    for run in runs:
        for outcome in run.outcomes:
            error = outcome_error(outcome)
            if error is not None:
                run.fail(error, retry=True)


def free(world: World, tx: Tx, runs: Sequence[Run]) -> None:
    """Give everything back and end the row, once."""
    found = [InstanceId(run.row.instance_id) for run in runs]
    now = world.clock.now()
    give_back(tx, found)
    server_groups.leave(tx, [i.id for i in (run.known for run in runs) if i.server_group_id is not None])
    gone = instances.swap(
        tx,
        [
            instances.Swap(
                id=i,
                expect_deleted=False,
                vm=Vm.DELETED,
                task=None,
                power=Power.NOSTATE,
                host=None,
                node=None,
                terminated_at=now,
                deleted_at=now,
            )
            for i in found
        ],
    )
    console_tokens.drop(tx, found)  # now that no new one can come
    totals: dict[str, dict[str, int]] = {}
    for run in runs:
        if InstanceId(run.row.instance_id) in gone:
            total = totals.setdefault(run.known.project_id, {"instances": 0, "cores": 0, "ram": 0})
            total["instances"] += 1
            total["cores"] += run.known.flavor.vcpus
            total["ram"] += run.known.flavor.ram_mb
    for project, total in totals.items():
        quotas.release(tx, project, total)


def give_up(world: World, tx: Tx, runs: Sequence[Run]) -> None:
    """The host would not: ERROR with the reason; everything stays held, another delete may follow."""
    instances.swap(
        tx,
        [
            instances.Swap(
                id=InstanceId(run.row.instance_id),
                expect_deleted=False,
                vm=Vm.ERROR,
                task=None,
                fault=fault_of(world, run.error),
            )
            for run in runs
        ],
    )


class Delete(Workflow):
    """Take the guest away, give back what it held, end its row."""

    kind = "delete"
    input_type = DeleteInput
    steps = (
        Step(
            name="destroy",
            do=destroy,
            settle=destroyed,
            no_undo="a guest that is gone cannot be brought back; destroying again is harmless",
            needs_instance=True,
        ),
        Step(name="free", do=free, no_undo="the last step: only ever forward", needs_instance=True),
    )
    retry_from = "destroy"
    attempts = 3
    failed = staticmethod(give_up)
