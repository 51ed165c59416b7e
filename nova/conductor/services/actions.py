"""What users ask of a server: workflows that start, and the few things settled at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from nova import ids
from nova.conductor.services import admission
from nova.conductor.services.lookup import any_instance, living
from nova.conductor.services.snapshot_image import described
from nova.conductor.workflows.inputs import ActInput, DeleteInput, SnapshotInput
from nova.context import RequestContext
from nova.db import history, instances, workflows
from nova.db.engine import Tx
from nova.errors import BadRequest, NovaError, Unavailable
from nova.errors.servers import ActionNotFound, UnlockForbidden
from nova.lifecycle.actions import ACTIONS, Action
from nova.lifecycle.admission import check
from nova.objects.base import Value
from nova.objects.ids import ImageId, InstanceId, ProjectId
from nova.objects.image import NewImage
from nova.objects.instance import Instance
from nova.objects.states import LockedBy, Task, Vm
from nova.objects.workflow import ActionQuery, WorkflowRecord

if TYPE_CHECKING:
    from nova.conductor.engine.step import Run
    from nova.conductor.world import World

Options = Mapping[str, str | int | bool]


def act(world: World, ctx: RequestContext, instance_id: InstanceId, name: str, options: Options) -> None:
    """Start or carry out an action of the table; raises the refusal of the table."""
    action = ACTIONS.get(name)
    if action is None:
        raise BadRequest(reason=f"There is no such action: {name}")
    if action.workflow is None:
        _settle_at_once(world, ctx, instance_id, action, options)
        return

    def work(tx: Tx) -> list[Run]:
        instance = living(tx, ctx, instance_id)
        if action.beats_all and instance.task_state is Task.DELETING and _runs(tx, instance_id):
            check(action, instance, is_admin=ctx.is_admin)
            return []
        return admission.start(world, tx, ctx, action, instance, _wish(world, ctx, action, instance))

    world.engine.wake(_admitted(world, work, lambda tx: _settled(tx, ctx, instance_id, name)))


def _admitted(
    world: World, work: Callable[[Tx], list[Run]], settled: Callable[[Tx], list[Run] | None]
) -> list[Run]:
    """Run a transaction that admits a workflow; the second copy of a message is granted what the first was.

    It may meet its own rows, the busy server, or one that is gone already.
    """
    try:
        return world.db.run(work, settled=settled)
    except Unavailable:
        raise
    except NovaError:
        if (found := world.db.read(settled)) is None:
            raise
        return found


def _runs(tx: Tx, instance_id: InstanceId) -> bool:
    return bool(workflows.running_of(tx, [instance_id]))


def _settled(tx: Tx, ctx: RequestContext, instance_id: InstanceId, name: str) -> list[Run] | None:
    """After a lost answer to a commit: the workflow is there, its owner's recovery takes it up."""
    wanted = admission.workflow_id(ctx, instance_id, name)
    return [] if workflows.existing(tx, [wanted]) else None


def _wish(world: World, ctx: RequestContext, action: Action, instance: Instance) -> Value:
    if action.workflow == "delete":
        return DeleteInput(reason=ctx.request_id)
    return ActInput(
        action=action.name,
        vm_before=instance.vm_state,
        power_before=instance.power_state,
        shutdown_s=world.settings.shutdown_s,
    )


def create_image(world: World, ctx: RequestContext, instance_id: InstanceId, image: NewImage) -> ImageId:
    """Make an empty image and start the snapshot into it; the image goes again if that is refused.

    Its properties are those of the server's own image with what was asked for, and whence it is.
    """
    action = ACTIONS["createImage"]
    wanted = ImageId(ids.derived_uuid(ctx.request_id, instance_id, "image"))

    def admitted(tx: Tx) -> Instance | None:
        instance = living(tx, ctx, instance_id)
        if _settled(tx, ctx, instance_id, action.name) is not None:
            return None
        check(action, instance, is_admin=ctx.is_admin)
        return instance

    subject = world.db.read(admitted)
    if subject is None:
        return wanted
    picture = described(image, subject, ctx)
    made = world.images.create(picture, ProjectId(ctx.project_id), image_id=wanted)

    def work(tx: Tx) -> list[Run]:
        fresh = living(tx, ctx, instance_id)
        wish = SnapshotInput(image_id=made.id, disk_format=image.disk_format)
        return admission.start(world, tx, ctx, action, fresh, wish)

    try:
        runs = _admitted(world, work, lambda tx: _settled(tx, ctx, instance_id, action.name))
    except BaseException:
        world.images.delete(made.id)
        raise
    world.engine.wake(runs)
    return made.id


def _settle_at_once(
    world: World, ctx: RequestContext, instance_id: InstanceId, action: Action, options: Options
) -> None:
    def work(tx: Tx) -> None:
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

    world.db.run(work)


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
