"""Console tokens: kept as hashes, good only while their instance runs."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from nova.db import console_tokens, instances
from nova.db.engine import Tx, again
from nova.errors.database import Duplicate
from nova.errors.servers import InstanceChanged, InstanceNotFound
from nova.objects.console import ConsoleAuthorization
from nova.objects.ids import InstanceId
from nova.objects.states import Power, Vm

if TYPE_CHECKING:
    from nova.conductor.world import World

_WITHOUT_CONSOLE = frozenset(
    {Vm.STOPPED, Vm.SUSPENDED, Vm.SOFT_DELETED, Vm.DELETED, Vm.SHELVED, Vm.SHELVED_OFFLOADED}
)


def save(world: World, token_hash: str, target: ConsoleAuthorization) -> None:
    """Keep a token of a console that is still where its host said. Idempotent.

    Whoever ends the console holds the instance, too, and takes away the tokens that are there.  Raises
    ``InstanceNotFound`` and ``InstanceChanged``.
    """

    def work(tx: Tx) -> bool:
        state = instances.hold(tx, target.instance_id)
        if state is None:
            raise InstanceNotFound(id=target.instance_id)
        if target.revision not in (0, state.revision):
            raise InstanceChanged(id=target.instance_id)
        console_tokens.insert(tx, token_hash, target)
        return True

    with contextlib.suppress(Duplicate):  # the message came twice
        world.db.run(work, settled=again)


def find(world: World, token_hash: str) -> ConsoleAuthorization | None:
    """Return what a token stands for; none when it is unknown or over, or its instance does not run."""

    def work(tx: Tx) -> ConsoleAuthorization | None:
        target = console_tokens.get(tx, token_hash, world.settings.console_token_s)
        if target is None:
            return None
        state = instances.states(tx, [target.instance_id]).get(target.instance_id)
        if state is None or state.deleted or state.host is None or state.vm_state in _WITHOUT_CONSOLE:
            return None
        return None if state.power_state in {Power.SHUTDOWN, Power.CRASHED} else target

    return world.db.read(work)


def drop(world: World, instance: InstanceId) -> None:
    """Forget the tokens of an instance. Idempotent."""
    world.db.once(lambda tx: console_tokens.drop(tx, [instance]), repeatable=True)
