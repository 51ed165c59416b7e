"""Every action that is one call of the driver."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nova.conductor.engine.step import COMPUTE, Ordered, Run, Step, Workflow
from nova.conductor.steps.guest import guest_specs
from nova.conductor.steps.host import outcome_error
from nova.conductor.steps.record import fault_of
from nova.conductor.workflows.inputs import ActInput
from nova.db import console_tokens, instances
from nova.errors.servers import InstanceHasNoHost
from nova.lifecycle.actions import ACTIONS
from nova.objects import jobs as orders
from nova.objects.ids import InstanceId
from nova.objects.states import Vm

if TYPE_CHECKING:
    from nova.conductor.world import World
    from nova.db.engine import Tx


def order(world: World, tx: Tx, runs: Sequence[Run]) -> None:
    """Tell the host."""
    del world
    anew = [r.known for r in runs if r.instance is not None and ACTIONS[r.input.action].defines_anew]
    specs = guest_specs(tx, anew) if anew else {}
    for run in runs:
        wish: ActInput = run.input
        instance = run.instance
        if instance is None or instance.host is None:
            run.fail(InstanceHasNoHost(id=run.row.instance_id))
            continue
        action = ACTIONS[wish.action]
        run.orders.append(
            Ordered(
                topic=COMPUTE,
                host=instance.host,
                order=orders.Act(
                    action=wish.action,
                    timeout_s=wish.shutdown_s,
                    guest=specs.get(instance.id),
                    options=wish.options,
                ),
                fence=instance.revision,
                event=action.event,
                deadline_s=action.deadline_s,
            )
        )


def settle(world: World, tx: Tx, runs: Sequence[Run]) -> None:
    """Write where the action led."""
    del world
    changes = []
    for run in runs:
        wish: ActInput = run.input
        action = ACTIONS[wish.action]
        errors = [e for e in map(outcome_error, run.outcomes) if e is not None]
        if errors:
            run.fail(errors[0])
            continue
        power = next((o.power for o in run.outcomes if o.power is not None), action.power)
        changes.append(
            instances.Swap(
                id=InstanceId(run.row.instance_id),
                expect_deleted=False,
                vm=action.done or wish.vm_before,
                task=None,
                power=power if power is not None else wish.power_before,
            )
        )
    if changes:
        instances.swap(tx, changes)
    elsewhere = [run.row.instance_id for run in runs if not ACTIONS[run.input.action].keeps_console]
    console_tokens.drop(tx, [InstanceId(id) for id in elsewhere])


def back(world: World, tx: Tx, runs: Sequence[Run]) -> None:
    """Put the state before the action back, with the reason as a fault."""
    instances.swap(
        tx,
        [
            instances.Swap(
                id=InstanceId(run.row.instance_id),
                expect_deleted=False,
                vm=run.input.vm_before,
                task=None,
                fault=fault_of(world, run.error),
            )
            for run in runs
            if run.input.vm_before is not Vm.DELETED
        ],
    )


class Act(Workflow):
    """Tell the host, wait for its report, write the new state."""

    kind = "act"
    input_type = ActInput
    steps = (
        Step(
            name="act",
            do=order,
            settle=settle,
            no_undo="what the guest really is, the host reports; the state before is written by failed",
            needs_instance=True,
        ),
    )
    failed = staticmethod(back)
