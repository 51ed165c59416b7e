"""What services, steps and loops of a conductor get: handed in, nothing global."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from nova import ids
from nova.clock import Clock
from nova.conductor.engine.inject import Points
from nova.conductor.images import ImageFacts
from nova.conductor.liveness import Liveness
from nova.conductor.settings import Settings
from nova.context import RequestContext, system_context
from nova.db import instances
from nova.db.engine import Database, Tx
from nova.image.base import ImageStore
from nova.objects.ids import InstanceId
from nova.objects.jobs import Job, JobOutcome
from nova.objects.states import Task
from nova.rpc.client import Client
from nova.rpc.contracts.compute import Compute
from nova.rpc.contracts.consoleauth import Consoleauth
from nova.rpc.contracts.network import NetworkHost
from nova.rpc.contracts.scheduler import Scheduler

if TYPE_CHECKING:
    from nova.conductor.engine.engine import Engine
    from nova.conductor.engine.step import Run


@dataclasses.dataclass(slots=True)
class World:
    """One conductor's surroundings."""

    owner: str
    """Identity of this conductor process; leases are in this name."""
    host: str
    db: Database
    clock: Clock
    settings: Settings
    liveness: Liveness
    images: ImageStore
    facts: ImageFacts
    scheduler: Client[Scheduler]
    compute: Client[Compute]
    network: Client[NetworkHost]
    consoleauth: Client[Consoleauth]
    points: Points = dataclasses.field(default_factory=Points)
    on_end: Callable[[Run], None] | None = None
    _engine: Engine | None = None

    @property
    def engine(self) -> Engine:
        """The engine of this conductor."""
        if self._engine is None:
            raise RuntimeError("the conductor has no engine yet")
        return self._engine

    @engine.setter
    def engine(self, engine: Engine) -> None:
        self._engine = engine

    def context(self) -> RequestContext:
        """Return a context for work that no user waits for."""
        return system_context(ids.new_request_id())

    def send_jobs(self, topic: str, host: str, jobs: list[Job]) -> None:
        """Cast jobs to the agent of a host; raises Unavailable when the broker is away."""
        client: Any = self.compute if topic == "compute" else self.network
        client.host(host).run_jobs(self.context(), jobs)

    def record_phases(self, tx: Tx, outcomes: Sequence[JobOutcome]) -> None:
        """Show how far agents are: a phase is a task state that follows an earlier one of the same job."""
        by_phase: dict[Task, list[InstanceId]] = {}
        for outcome in outcomes:
            if outcome.phase in PHASES_AFTER:
                by_phase.setdefault(Task(outcome.phase), []).append(outcome.instance_id)
        for task, found in by_phase.items():
            instances.swap(
                tx, [instances.Swap(id=i, expect_task=PHASES_AFTER[task], task=task) for i in found]
            )

    def ended(self, run: Run) -> None:
        """A workflow ended: tell whoever listens (metrics, notifications)."""
        if self.on_end is not None:
            self.on_end(run)


PHASES_AFTER: dict[str, frozenset[Task | None]] = {
    Task.BLOCK_DEVICE_MAPPING: frozenset({Task.NETWORKING}),
    Task.SPAWNING: frozenset({Task.NETWORKING, Task.BLOCK_DEVICE_MAPPING}),
    Task.IMAGE_SNAPSHOT: frozenset({Task.IMAGE_SNAPSHOT_PENDING}),
    Task.IMAGE_PENDING_UPLOAD: frozenset({Task.IMAGE_SNAPSHOT_PENDING, Task.IMAGE_SNAPSHOT}),
    Task.IMAGE_UPLOADING: frozenset(
        {Task.IMAGE_SNAPSHOT_PENDING, Task.IMAGE_SNAPSHOT, Task.IMAGE_PENDING_UPLOAD}
    ),
    Task.REBOOT_PENDING: frozenset({Task.REBOOTING}),
    Task.REBOOT_STARTED: frozenset({Task.REBOOTING, Task.REBOOT_PENDING}),
    Task.REBOOT_PENDING_HARD: frozenset({Task.REBOOTING_HARD}),
    Task.REBOOT_STARTED_HARD: frozenset({Task.REBOOTING_HARD, Task.REBOOT_PENDING_HARD}),
}
"""Phase to the task states it may follow; a late report of a phase changes nothing."""
