"""What workflows write into the instance when they end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nova.conductor.engine.step import Run
from nova.db import instances
from nova.errors import NovaError
from nova.objects.ids import InstanceId
from nova.objects.instance import Fault
from nova.objects.states import Power, Vm

if TYPE_CHECKING:
    from nova.conductor.world import World
    from nova.db.engine import Tx

MESSAGE_LENGTH = 255


def fault_of(world: World, error: NovaError | None) -> Fault:
    """Return what users are told; the sentence is cut at the API's 255 characters."""
    sentence = error.sentence() if error is not None else NovaError().sentence()
    code = error.http if error is not None else 500
    return Fault(
        code=code if code < 600 else 500,
        message=sentence[:MESSAGE_LENGTH],
        created_at=world.clock.now(),
        details=sentence if len(sentence) > MESSAGE_LENGTH else "",
    )


def activate(world: World, tx: Tx, runs: Sequence[Run]) -> None:
    """The guest runs: say so."""
    now = world.clock.now()
    instances.swap(
        tx,
        [
            instances.Swap(
                id=InstanceId(run.row.instance_id),
                expect_vm=frozenset({Vm.BUILDING}),
                vm=Vm.ACTIVE,
                task=None,
                power=Power(run.notes.get("power", Power.RUNNING)),
                launched_at=now,
            )
            for run in runs
        ],
    )


def build_failed(world: World, tx: Tx, runs: Sequence[Run]) -> None:
    """No host is left to try: ERROR, with the reason in words."""
    instances.swap(
        tx,
        [
            instances.Swap(
                id=InstanceId(run.row.instance_id),
                expect_vm=frozenset({Vm.BUILDING}),
                vm=Vm.ERROR,
                task=None,
                power=Power.NOSTATE,
                fault=fault_of(world, run.error),
            )
            for run in runs
        ],
    )
