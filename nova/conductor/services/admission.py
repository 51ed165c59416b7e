"""Starting workflows: one transaction that checks, marks the instance and writes the workflow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from nova import ids
from nova.conductor.services.once import refusal
from nova.context import RequestContext
from nova.db import history, instances, refusals, workflows
from nova.db.engine import TryAgain, Tx
from nova.db.workflows import WorkflowRow
from nova.lifecycle import admission
from nova.lifecycle.actions import Action
from nova.objects.base import Value
from nova.objects.ids import InstanceId, ProjectId, UserId, WorkflowId
from nova.objects.instance import Instance
from nova.objects.workflow import WorkflowState

if TYPE_CHECKING:
    from nova.conductor.engine.step import Run
    from nova.conductor.world import World


class Begin(msgspec.Struct, frozen=True):
    """One request to start an action: on which instance, with what input."""

    ctx: RequestContext
    instance: Instance
    wish: Value


def workflow_id(ctx: RequestContext, instance_id: InstanceId, action: str) -> WorkflowId:
    """Return the id of the workflow that this request makes: the same when it is carried out again."""
    return WorkflowId(ids.derived_uuid(ctx.request_id, instance_id, action))


class Claim(msgspec.Struct, frozen=True):
    """A request's place among the workflows: what begins takes it, and so does a refusal; never both."""

    ctx: RequestContext
    instance_id: InstanceId
    action: str

    @property
    def workflow(self) -> WorkflowId:
        """The id of the workflow that the request makes."""
        return workflow_id(self.ctx, self.instance_id, self.action)

    def settled(self, tx: Tx) -> list[Run] | None:
        """Tell a copy what the one before it was answered: no runs, for its owner has them; or its refusal.

        None: none was answered.
        """
        kept = refusals.find(tx, self.workflow)
        if kept:
            raise refusal(kept)
        return None if kept is None else []

    def refuse(self, tx: Tx, error: str) -> None:
        """Keep a refusal; raises ``Duplicate`` when a copy was answered."""
        refusals.insert(tx, self.ctx, self.workflow, self.action, error)


def new_workflow(
    world: World, ctx: RequestContext, action: Action, instance: Instance, wish: Value
) -> WorkflowRow:
    """Return the row of a workflow owned by this conductor."""
    now = world.clock.now()
    return WorkflowRow(
        id=workflow_id(ctx, instance.id, action.name),
        kind=action.workflow or "",
        action=action.record,
        instance_id=instance.id,
        request_id=ctx.request_id,
        user_id=UserId(ctx.user_id),
        project_id=ProjectId(ctx.project_id or instance.project_id),
        state=WorkflowState.READY,
        owner=world.owner,
        started_at=now,
        updated_at=now,
        input=msgspec.json.encode(wish),
        notes=b"{}",
    )


def record_of(world: World, ctx: RequestContext, action: Action, instance: Instance) -> WorkflowRow:
    """Return the row of an action that was settled within its request."""
    row = new_workflow(world, ctx, action, instance, Value())
    return msgspec.structs.replace(
        row, kind="record", state=WorkflowState.DONE, owner=None, finished_at=row.started_at
    )


def start(
    world: World, tx: Tx, ctx: RequestContext, action: Action, instance: Instance, wish: Value
) -> list[Run]:
    """Admit an action on an instance read in this transaction; empty when this request did so already.

    Raises :class:`~nova.db.engine.TryAgain` when the instance has changed since it was read.
    """
    row = new_workflow(world, ctx, action, instance, wish)
    if workflows.existing(tx, [WorkflowId(row.id)]):
        return []
    admission.check(action, instance, is_admin=ctx.is_admin)
    if action.beats_all or instance.task_state is not None:
        world.engine.supersede(tx, instance, action.name, _took_over(action))
    won = instances.swap(tx, [_mark(action, instance)])
    if instance.id not in won:
        raise TryAgain()
    return world.engine.admit(tx, [row], [_marked(action, instance, won)])


def start_many(world: World, tx: Tx, action: Action, begins: Sequence[Begin]) -> dict[InstanceId, Run]:
    """Admit one action on several idle instances read in this transaction, each for its own request.

    Instances that the action may not start on, that have changed, or whose request was granted before are
    left out.
    """
    rows = {b.instance.id: new_workflow(world, b.ctx, action, b.instance, b.wish) for b in begins}
    known = workflows.existing(tx, [WorkflowId(row.id) for row in rows.values()])
    fit = {
        b.instance.id: b.instance
        for b in begins
        if b.instance.task_state is None
        and rows[b.instance.id].id not in known
        and admission.refusal(action, b.instance, is_admin=b.ctx.is_admin) is None
    }
    won = instances.swap(tx, [_mark(action, instance) for instance in fit.values()])
    marked = [_marked(action, instance, won) for instance in fit.values() if instance.id in won]
    if not marked:
        return {}
    if action.beats_all:
        # Only where the swap was won: what began on one that has changed since is taken over with more care.
        history.supersede(tx, [instance.id for instance in marked], message=_took_over(action))
    runs = world.engine.admit(tx, [rows[instance.id] for instance in marked], marked)
    return {instance.id: run for instance, run in zip(marked, runs, strict=True)}


def _took_over(action: Action) -> str:
    return f"{action.name} took over"


def _mark(action: Action, instance: Instance) -> instances.Swap:
    return instances.Swap(
        id=instance.id,
        expect_vm=None if action.beats_all else frozenset({instance.vm_state}),
        expect_task=action.task if action.beats_all else frozenset({instance.task_state}),
        # What was read must still be so: a delete that knows of no host yet would leave the guest that a
        # commit in between gave to one.
        expect_revision=instance.revision,
        task=action.while_,
    )


def _marked(action: Action, instance: Instance, won: instances.Winners) -> Instance:
    return msgspec.structs.replace(instance, task_state=action.while_, revision=won[instance.id])
