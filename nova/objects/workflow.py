"""Workflow and step records: what the API shows as instance actions and their events."""

from __future__ import annotations

import datetime
import enum

from nova.objects.base import Value
from nova.objects.explanation import Explanation
from nova.objects.ids import HostName, InstanceId, ProjectId, UserId, WorkflowId


class WorkflowState(enum.StrEnum):
    """Where a workflow stands."""

    READY = "ready"
    """Somebody must take its next step."""
    WAITING = "waiting"
    """Orders are out; reports will move it on."""
    UNDOING = "undoing"
    UNDO_WAITING = "undo_waiting"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED = frozenset({WorkflowState.DONE, WorkflowState.FAILED, WorkflowState.CANCELLED})


class StepRecord(Value, frozen=True, kw_only=True):
    """One step of a workflow = one event of an instance action."""

    event: str
    started_at: datetime.datetime
    finished_at: datetime.datetime | None = None
    result: str | None = None
    """Success or Error, the API's words."""
    host: HostName | None = None
    details: str | None = None
    traceback: str | None = None


class WorkflowRecord(Value, frozen=True, kw_only=True):
    """One workflow = one instance action."""

    id: WorkflowId
    kind: str
    """Class of workflow: boot, delete, act, snapshot, ..."""
    action: str
    """Name of the instance action the API shows: create, delete, stop, ..."""
    instance_id: InstanceId
    request_id: str
    user_id: UserId
    project_id: ProjectId
    state: WorkflowState
    step: int = 0
    attempt: int = 1
    fence: int = 1
    owner: str | None = None
    message: str | None = None
    started_at: datetime.datetime
    updated_at: datetime.datetime
    finished_at: datetime.datetime | None = None
    steps: tuple[StepRecord, ...] = ()
    explanation: Explanation | None = None


class ActionQuery(Value, frozen=True, kw_only=True):
    """Which actions of an instance are wanted."""

    limit: int | None = None
    marker: str | None = None
    changes_since: datetime.datetime | None = None
    changes_before: datetime.datetime | None = None
