"""Signs of life among conductors, and taking over from those that give none."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from nova.db import hosts, owners, services, workflows
from nova.db.engine import Tx, again
from nova.objects.ids import HostName, WorkflowId

if TYPE_CHECKING:
    from nova.conductor.world import World


COMPUTE = "nova-compute"


class Recover:
    """Beats for this conductor; takes up workflows whose owner is dead, gone, or this one but forgot them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._mine: dict[WorkflowId, float] = {}
        self._up: set[HostName] = set()

    def beat(self) -> None:
        """Say that this conductor lives, look who else does, and how the services are."""
        world = self._world
        leapt_s = world.clock.set_by_s()
        if not world.db.once(lambda tx: owners.beat_known(tx, world.owner, leapt_s), repeatable=True):
            world.db.run(lambda tx: owners.beat(tx, world.owner, world.host, leapt_s), settled=again)
        alive = world.db.read(owners.all)
        world.liveness.conductors.observe(alive, whole=True)

    def watch_services(self) -> None:
        """Observe the beats of all services."""
        world = self._world
        found = world.db.read(services.pulses)
        world.liveness.services.observe(
            (((s.host, s.binary), s.beats) for s in found if not s.forced_down), whole=True
        )
        up = {s.host for s in found if s.binary == COMPUTE and world.liveness.is_up(s.host)}
        changed = up ^ self._up
        self._up = up
        if changed:
            # Schedulers learn of it by the feed, like of every other change of a host.
            world.db.run(lambda tx: hosts.touch(tx, sorted(changed)), settled=again)

    def take_over(self) -> None:
        """Go on with what nobody alive works on."""
        world = self._world
        dead = [owner for owner in world.liveness.conductors.dead() if owner != world.owner]
        held = world.engine.held()
        # One statement at rest: a transaction only for those who will find something.
        mine, any_free = world.db.read(lambda tx: workflows.owned_or_free(tx, world.owner, dead))
        while any_free and world.engine.recover(dead):
            pass
        for owner in dead:
            world.db.run(functools.partial(self._bury, owner), settled=again)
            world.liveness.conductors.forget(owner)
        self._remember_forgotten(mine - held)

    @staticmethod
    def _bury(owner: str, tx: Tx) -> None:
        if not workflows.owned_by(tx, owner):
            owners.drop(tx, owner)

    def _remember_forgotten(self, loose: set[WorkflowId]) -> None:
        """Adopt what is in this conductor's name and stays in nobody's hands (a lost answer to a commit)."""
        world = self._world
        now = world.clock.monotonic()
        self._mine = {i: self._mine.get(i, now) for i in loose}
        lost = [i for i, since in self._mine.items() if now - since > world.settings.lease_s]
        if lost:
            world.engine.adopt(lost)
