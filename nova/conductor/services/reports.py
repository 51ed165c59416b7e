"""What agents say of their guests, and what they ask about them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from nova import ids
from nova.conductor.services import admission
from nova.conductor.steps.guest import guest_specs
from nova.conductor.workflows.inputs import ActInput
from nova.context import RequestContext
from nova.db import instances, jobs
from nova.db.engine import Tx, again
from nova.errors import NovaError
from nova.errors.servers import InstanceNotFound
from nova.lifecycle.actions import ACTIONS
from nova.lifecycle.power import Remedy, remedy
from nova.objects.guest import GuestSpec
from nova.objects.host import ObservedGuest
from nova.objects.ids import HostName, InstanceId
from nova.objects.instance import Instance
from nova.objects.jobs import Job

if TYPE_CHECKING:
    from nova.conductor.engine.step import Run
    from nova.conductor.world import World

LOG = logging.getLogger(__name__)
_decode_job = msgspec.json.Decoder(Job).decode


def owed(world: World, host: HostName, topic: str) -> list[Job]:
    """Return the open jobs of a host, oldest first."""
    return owed_by(world, [host], topic).get(host, [])


def owed_by(world: World, hosts: Sequence[HostName], topic: str) -> dict[HostName, list[Job]]:
    """Return the open jobs of hosts that have any, oldest first."""
    found: dict[HostName, list[Job]] = {}
    for row in world.db.read(lambda tx: jobs.open_for_hosts(tx, hosts, topic)):
        if row.order and row.host:
            found.setdefault(row.host, []).append(_decode_job(row.order))
    return found


def guests_of(world: World, host: HostName) -> list[GuestSpec]:
    """Return the guests that belong on a host."""

    def work(tx: Tx) -> list[GuestSpec]:
        found = instances.of_host(tx, host)
        specs = guest_specs(tx, found)
        return [specs[i.id] for i in found]

    return world.db.read(work)


def guest(world: World, instance_id: InstanceId) -> GuestSpec:
    """Return one guest."""

    def work(tx: Tx) -> GuestSpec:
        found = instances.get(tx, instance_id)
        if found is None or found.is_deleted:
            raise InstanceNotFound(id=instance_id)
        return guest_specs(tx, [found])[instance_id]

    return world.db.read(work)


def observed(
    world: World, ctx: RequestContext, host: HostName, guests: Sequence[ObservedGuest], *, whole: bool
) -> list[InstanceId]:
    """Compare what a host sees with what should be; repair what is safe; return guests unknown there."""
    here = (
        world.db.read(lambda tx: {i.id: i for i in instances.of_host(tx, host)})
        if whole
        else (world.db.read(lambda tx: instances.get_many(tx, [g.instance_id for g in guests])))
    )
    unknown = []
    for seen in guests:
        known = here.get(seen.instance_id)
        if known is None or known.is_deleted or known.host != host:
            unknown.append(seen.instance_id)
        elif known.task_state is None:
            _repair(world, ctx, known, seen)
    return unknown


def _repair(world: World, ctx: RequestContext, known: Instance, seen: ObservedGuest) -> None:
    power = seen.power
    what = remedy(known.vm_state, known.power_state, power, host_booted=seen.host_booted)
    if what is Remedy.NOTHING:
        return
    if what is Remedy.RECORD:
        world.db.run(
            lambda tx: instances.swap(
                tx,
                [
                    instances.Swap(
                        id=known.id,
                        expect_vm=frozenset({known.vm_state}),
                        expect_task=frozenset({None}),
                        expect_host=known.host,
                        power=power,
                    )
                ],
            ),
            settled=again,
        )
        return
    if what is Remedy.START:
        LOG.warning("Instance %s went with its host, which is back: it is started", known.id)
        _act(world, ctx, known, "start")
        return
    LOG.warning("Instance %s is %s but its guest is %s: it is stopped", known.id, known.vm_state, power.name)
    _act(world, ctx, known, "stop")


def _act(world: World, ctx: RequestContext, known: Instance, name: str) -> None:
    action = msgspec.structs.replace(ACTIONS[name], vm=frozenset({known.vm_state}), needs_launched=False)
    wish = ActInput(action=name, vm_before=known.vm_state, power_before=known.power_state, shutdown_s=0)
    repair = msgspec.structs.replace(
        ctx,
        request_id=ids.new_request_id(),
        project_id=known.project_id,
        user_id=known.user_id,
        is_admin=True,
    )

    def work(tx: Tx) -> list[Run]:
        fresh = instances.get(tx, known.id)
        if fresh is None or fresh.is_deleted or fresh.revision != known.revision:
            return []
        return admission.start(world, tx, repair, action, fresh, wish)

    try:
        world.engine.wake(world.db.run(work))
    except NovaError as error:
        LOG.info("Instance %s was taken up by somebody else meanwhile: %s", known.id, error)
