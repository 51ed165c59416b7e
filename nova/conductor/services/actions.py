"""What users ask of a server: workflows that start, and the few things settled at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from nova import ids
from nova.conductor.services import admission
from nova.conductor.services.lookup import any_instance, living, may_see
from nova.conductor.services.once import agreed, bound, once
from nova.conductor.services.snapshot_image import described
from nova.conductor.services.together import Together
from nova.conductor.workflows.inputs import ActInput, DeleteInput, SnapshotInput
from nova.context import RequestContext
from nova.db import history, instances, workflows
from nova.db.engine import Tx
from nova.errors import BadRequest, NovaError, Unavailable
from nova.errors.servers import ActionNotFound, UnlockForbidden
from nova.lifecycle.actions import ACTIONS, Action
from nova.lifecycle.admission import check
from nova.objects.base import Value
from nova.objects.ids import ImageId, InstanceId, ProjectId, WorkflowId
from nova.objects.image import NewImage
from nova.objects.instance import Instance
from nova.objects.states import LockedBy, Task, Vm
from nova.objects.workflow import ActionQuery, WorkflowRecord

if TYPE_CHECKING:
    from nova.conductor.engine.step import Run
    from nova.conductor.world import World

Options = dict[str, str | int | bool]


_STARTED_HERE = frozenset({None, "act", "delete"})
"""Workflows whose input :func:`_wish` makes; the others have a method of the contract of their own."""


class Asked(msgspec.Struct, frozen=True):
    """A request to start an action that has a workflow."""

    ctx: RequestContext
    instance_id: InstanceId
    action: Action
    options: Options = {}


def acts(world: World) -> Together[Asked, None]:
    """Return what admits this conductor's requests to start actions."""

    def alone(asked: Asked) -> None:
        _start(world, asked)

    def many(several: Sequence[Asked]) -> dict[int, None]:
        runs = world.db.run(lambda tx: start_many(world, tx, several))
        world.engine.wake(runs.values())
        return dict.fromkeys(runs)

    return Together(alone, many, lambda asked: asked.ctx.project_id or "")


def act(
    world: World,
    gate: Together[Asked, None],
    ctx: RequestContext,
    target: tuple[InstanceId, str],
    options: Options,
) -> None:
    """Start or carry out an action of the table on an instance; raises the refusal of the table."""
    instance_id, name = target
    action = ACTIONS.get(name)
    if action is None or action.workflow not in _STARTED_HERE:
        raise BadRequest(reason=f"There is no such action: {name}")
    if action.workflow is None:
        _settle_at_once(world, ctx, instance_id, action, options)
    else:
        gate.ask(Asked(ctx, instance_id, action, options))


def start_many(world: World, tx: Tx, several: Sequence[Asked]) -> dict[int, Run]:
    """Start those actions that can be as their instances stand, all in one transaction; by position."""
    found = instances.get_many(tx, list({asked.instance_id for asked in several}))
    by_action: dict[str, dict[InstanceId, int]] = {}
    taken: set[InstanceId] = set()
    for number, asked in enumerate(several):
        instance = found.get(asked.instance_id)
        if instance is None or instance.is_deleted or not may_see(asked.ctx, instance):
            continue
        if instance.id not in taken:
            taken.add(instance.id)
            by_action.setdefault(asked.action.name, {})[instance.id] = number
    runs: dict[int, Run] = {}
    for name, numbers in by_action.items():
        action = ACTIONS[name]
        begins = [
            admission.Begin(several[n].ctx, found[i], _wish(world, several[n], found[i]))
            for i, n in numbers.items()
        ]
        begun = admission.start_many(world, tx, action, begins)
        runs |= {numbers[instance_id]: run for instance_id, run in begun.items()}
    return runs


def _start(world: World, asked: Asked) -> None:
    ctx, instance_id, action = asked.ctx, asked.instance_id, asked.action

    def work(tx: Tx) -> list[Run]:
        instance = living(tx, ctx, instance_id)
        if action.beats_all and instance.task_state is Task.DELETING and _runs(tx, instance_id):
            check(action, instance, is_admin=ctx.is_admin)
            return []
        return admission.start(world, tx, ctx, action, instance, _wish(world, asked, instance))

    claim = admission.Claim(ctx, instance_id, action.name)
    _go_on(world, agreed(world, work, claim.settled, claim.refuse), claim.workflow)


def _go_on(world: World, runs: Sequence[Run], granted: WorkflowId) -> None:
    if runs:
        world.engine.wake(runs)
    else:
        world.engine.adopt_forgotten([granted])


def _runs(tx: Tx, instance_id: InstanceId) -> bool:
    return bool(workflows.running_of(tx, [instance_id]))


def _wish(world: World, asked: Asked, instance: Instance) -> Value:
    """Return what the workflow of an action starts with."""
    if asked.action.workflow == "delete":
        return DeleteInput(reason=asked.ctx.request_id)
    return ActInput(
        action=asked.action.name,
        vm_before=instance.vm_state,
        power_before=instance.power_state,
        shutdown_s=world.settings.shutdown_s,
        options=asked.options,
    )


def create_image(world: World, ctx: RequestContext, instance_id: InstanceId, image: NewImage) -> ImageId:
    """Make an empty image and start the snapshot into it; the image goes again if that is refused.

    Its properties are those of the server's own image with what was asked for, and whence it is.
    """
    action = ACTIONS["createImage"]
    wanted = ImageId(ids.derived_uuid(ctx.request_id, instance_id, "image"))
    claim = admission.Claim(ctx, instance_id, action.name)

    def admitted(tx: Tx) -> Instance | None:
        instance = living(tx, ctx, instance_id)
        if claim.settled(tx) is not None:
            return None
        check(action, instance, is_admin=ctx.is_admin)
        return instance

    try:
        subject = world.db.read(admitted)
        if subject is None:
            return wanted
        picture = described(image, subject, ctx)
        made = world.images.create(picture, ProjectId(ctx.project_id), image_id=wanted)
    except Unavailable:
        raise
    except NovaError as refused:
        bound(world, refused, claim.settled, claim.refuse)
        return wanted

    def work(tx: Tx) -> list[Run]:
        fresh = living(tx, ctx, instance_id)
        wish = SnapshotInput(image_id=made.id, disk_format=image.disk_format)
        return admission.start(world, tx, ctx, action, fresh, wish)

    try:
        runs = agreed(world, work, claim.settled, claim.refuse)
    except Unavailable:
        raise  # this one, or a copy of it, may have been granted: the image is that one's
    except NovaError:
        world.images.delete(made.id)
        raise
    _go_on(world, runs, claim.workflow)
    return made.id


def _settle_at_once(
    world: World, ctx: RequestContext, instance_id: InstanceId, action: Action, options: Options
) -> None:
    def work(tx: Tx) -> bool:
        instance = living(tx, ctx, instance_id)
        check(action, instance, is_admin=ctx.is_admin)
        if action.name == "lock":
            _lock(tx, ctx, instance, options)
        elif action.name == "unlock":
            _unlock(tx, instance, override=bool(options.get("override", ctx.is_admin)))
        elif action.name == "resetState":
            _reset_state(world, tx, instance, options)
        else:
            raise BadRequest(reason=f"There is no such action: {action.name}")
        row = admission.record_of(world, ctx, action, instance)
        if action.record and not workflows.existing(tx, [row.id]):
            workflows.insert(tx, [row])
        return True

    once(world, ctx, work, bool)


def _lock(tx: Tx, ctx: RequestContext, instance: Instance, options: Options) -> None:
    by = LockedBy.OWNER if ctx.project_id == instance.project_id else LockedBy.ADMIN
    if instance.locked_by is LockedBy.ADMIN and by is LockedBy.OWNER and not ctx.is_admin:
        return
    reason = options.get("reason")
    instances.swap(
        tx,
        [
            instances.Swap(
                id=instance.id, locked_by=by, locked_reason=str(reason) if reason is not None else None
            )
        ],
    )


def _unlock(tx: Tx, instance: Instance, *, override: bool) -> None:
    if instance.locked_by is LockedBy.ADMIN and not override:
        raise UnlockForbidden(id=instance.id)
    instances.swap(tx, [instances.Swap(id=instance.id, locked_by=None, locked_reason=None)])


def _reset_state(world: World, tx: Tx, instance: Instance, options: Options) -> None:
    state = Vm.ACTIVE if options.get("state") == "active" else Vm.ERROR
    world.engine.supersede(tx, instance, "resetState", "The state was reset by an administrator")
    instances.swap(tx, [instances.Swap(id=instance.id, vm=state, task=None)])


def history_of(
    world: World, ctx: RequestContext, instance_id: InstanceId, query: ActionQuery
) -> list[WorkflowRecord]:
    """List what was done with an instance, also after its end."""

    def work(tx: Tx) -> list[WorkflowRecord]:
        any_instance(tx, ctx, instance_id)
        return history.of_instance(tx, instance_id, query)

    return world.db.read(work)


def record_by_request(
    world: World, ctx: RequestContext, instance_id: InstanceId, request_id: str
) -> WorkflowRecord:
    """Return one action with its steps."""

    def work(tx: Tx) -> WorkflowRecord:
        any_instance(tx, ctx, instance_id)
        found = history.by_request(tx, instance_id, request_id)
        if found is None:
            raise ActionNotFound(request_id=request_id, id=instance_id)
        return found

    return world.db.read(work)
