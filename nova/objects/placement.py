"""Questions to the scheduler and its answers."""

from __future__ import annotations

from nova.objects.base import Value
from nova.objects.explanation import Explanation
from nova.objects.flavor import Flavor
from nova.objects.ids import GroupId, HostName, InstanceId, NodeName, ProjectId
from nova.objects.image import Image


class GroupNeed(Value, frozen=True, kw_only=True):
    """The server group whose policy a decision must keep."""

    id: GroupId
    policy: str
    """affinity, anti-affinity, soft-affinity or soft-anti-affinity."""
    hosts: dict[HostName, int] = {}
    """Members per host already there or claimed."""
    max_per_host: int = 1
    """Rule ``max_server_per_host`` of anti-affinity."""


class PlacementRequest(Value, frozen=True, kw_only=True):
    """Where should these instances go?  All of one request share the answer's batch."""

    id: str
    """Given back with the decision (the workflow id)."""
    instances: tuple[InstanceId, ...]
    project_id: ProjectId
    flavor: Flavor
    image: Image | None = None
    zone: str | None = None
    forced_host: HostName | None = None
    forced_node: NodeName | None = None
    """Skip the filters."""
    requested_host: HostName | None = None
    requested_node: NodeName | None = None
    """Narrow to this host, filters apply."""
    excluded: tuple[HostName, ...] = ()
    """Hosts that failed before."""
    hints: dict[str, list[str]] = {}
    hint_hosts: dict[InstanceId, HostName] = {}
    """Hosts of the instances that the hints name, looked up by the conductor."""
    group: GroupNeed | None = None
    disk_gb: int | None = None
    """What it takes of the disk when that is not the flavor's sum (volume-backed)."""


class HostChoice(Value, frozen=True, kw_only=True):
    """A host with the generation its row had when it was chosen."""

    host: HostName
    node: NodeName
    zone: str = "nova"
    generation: int = 0
    weight: float = 0.0


class Decision(Value, frozen=True, kw_only=True):
    """The answer to one :class:`PlacementRequest`."""

    id: str
    choices: tuple[HostChoice, ...] = ()
    """One per instance, in order; empty when there is no valid host for all of them."""
    alternates: tuple[HostChoice, ...] = ()
    """Next best hosts, for claims that lose a race."""
    explanation: Explanation = Explanation()
