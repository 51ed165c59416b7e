"""Make an image of a server's root disk."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nova.conductor.engine.step import COMPUTE, Ordered, Run, Step, Workflow
from nova.conductor.steps.host import outcome_error
from nova.conductor.steps.record import fault_of
from nova.conductor.workflows.inputs import SnapshotInput
from nova.db import instances
from nova.errors import NotFound
from nova.errors.servers import InstanceHasNoHost
from nova.lifecycle.actions import ACTIONS
from nova.objects import jobs as orders
from nova.objects.ids import InstanceId
from nova.objects.states import Task

if TYPE_CHECKING:
    from nova.conductor.world import World
    from nova.db.engine import Tx

LOG = logging.getLogger(__name__)

IMAGE_TASKS: frozenset[Task | None] = frozenset(
    {
        Task.IMAGE_SNAPSHOT_PENDING,
        Task.IMAGE_SNAPSHOT,
        Task.IMAGE_PENDING_UPLOAD,
        Task.IMAGE_UPLOADING,
    }
)


def order(world: World, tx: Tx, runs: Sequence[Run]) -> None:
    """Tell the host to send the disk into the image that waits for it."""
    del world, tx
    action = ACTIONS["createImage"]
    for run in runs:
        wish: SnapshotInput = run.input
        instance = run.instance
        if instance is None or instance.host is None:
            run.fail(InstanceHasNoHost(id=run.row.instance_id))
            continue
        run.orders.append(
            Ordered(
                topic=COMPUTE,
                host=instance.host,
                order=orders.Snapshot(image_id=wish.image_id, disk_format=wish.disk_format),
                fence=instance.revision,
                event=action.event,
                deadline_s=action.deadline_s,
            )
        )


def settle(world: World, tx: Tx, runs: Sequence[Run]) -> None:
    """The image is there."""
    del world
    changes = []
    for run in runs:
        errors = [e for e in map(outcome_error, run.outcomes) if e is not None]
        if errors:
            run.fail(errors[0])
            continue
        changes.append(_idle(run))
    if changes:
        instances.swap(tx, changes)


def _idle(run: Run) -> instances.Swap:
    return instances.Swap(id=InstanceId(run.row.instance_id), expect_task=IMAGE_TASKS, task=None)


def drop_image(world: World, runs: Sequence[Run]) -> None:
    """Delete the image that will never be filled."""
    for run in runs:
        wish: SnapshotInput = run.input
        try:
            world.images.delete(wish.image_id)
        except NotFound:
            LOG.info("Image %s of a failed snapshot was gone already", wish.image_id)


def back(world: World, tx: Tx, runs: Sequence[Run]) -> None:
    """The server is as it was; the reason is its fault."""
    instances.swap(
        tx,
        [
            instances.Swap(
                id=InstanceId(run.row.instance_id),
                expect_task=IMAGE_TASKS,
                task=None,
                fault=fault_of(world, run.error),
            )
            for run in runs
        ],
    )


class Snapshot(Workflow):
    """Have the host send the disk into a waiting image."""

    kind = "snapshot"
    input_type = SnapshotInput
    steps = (Step(name="capture", do=order, settle=settle, undo_ask=drop_image, needs_instance=True),)
    failed = staticmethod(back)
