"""Work that the conductor orders from an agent, and the agent's report.

A job is an order of one workflow step.  The agent answers by ``Conductor.report``; the same job may come
twice (same id: answer again), and a job whose fence is older than one already seen for its instance is
refused.
"""

from __future__ import annotations

import datetime
import enum

import msgspec

from nova.objects.base import Value
from nova.objects.guest import GuestSpec
from nova.objects.ids import HostName, ImageId, InstanceId, JobId, NetworkId
from nova.objects.states import Power


class Build(Value, frozen=True, kw_only=True, tag="build"):
    """Bring the guest up, or leave no trace and say why."""

    guest: GuestSpec


class Destroy(Value, frozen=True, kw_only=True, tag="destroy"):
    """Take the guest and its disks away; doing it twice is fine.  Bars a build of an older fence."""

    reason: str = ""
    """Traces back to a request (its id) or to the undo of a build."""


class Act(Value, frozen=True, kw_only=True, tag="act"):
    """One call of the driver, for an action of ``nova.lifecycle.actions``."""

    action: str
    timeout_s: int | None = None
    """How long a guest may take to shut down by itself before it is forced."""
    guest: GuestSpec | None = None
    """For actions that may have to define the guest anew."""
    options: dict[str, str | int | bool] = {}
    """What the user asked for beside the action itself."""


class Snapshot(Value, frozen=True, kw_only=True, tag="snapshot"):
    """Send the root disk into an image that already waits in the store."""

    image_id: ImageId
    disk_format: str = "qcow2"


class ServeNetworks(Value, frozen=True, kw_only=True, tag="serve_networks"):
    """nova-network: make these networks of your host as the conductor's truth says."""

    networks: tuple[NetworkId, ...] = ()


Order = Build | Destroy | Act | Snapshot | ServeNetworks


class Job(Value, frozen=True, kw_only=True):
    """An order with its identity."""

    id: JobId
    instance_id: InstanceId
    fence: int
    """Grows with each workflow of the instance and each attempt; older fences are refused."""
    order: Order
    host: HostName | None = None
    deadline_s: float | None = None


class Verdict(enum.StrEnum):
    """How a job ended."""

    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"
    """The agent would not: barred, or an older fence."""
    PROGRESS = "progress"
    """Not ended: the instance went into ``phase``."""
    UNKNOWN = "unknown"
    """Asked for, but this agent never saw it: send it again."""


class JobOutcome(Value, frozen=True, kw_only=True):
    """What an agent reports about a job."""

    job_id: JobId
    instance_id: InstanceId
    fence: int
    verdict: Verdict
    host: HostName
    power: Power | None = None
    error: tuple[str, dict[str, object]] | None = None
    """Wire form of the error of a failure (class name, facts)."""
    retry_elsewhere: bool = False
    """The failure may be this host's alone."""
    phase: str | None = None
    """A task state, for progress."""
    details: dict[str, msgspec.Raw | str | int | float | bool | None] = {}
    finished_at: datetime.datetime | None = None
