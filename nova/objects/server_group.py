"""Server groups."""

from __future__ import annotations

from nova.objects.base import Value
from nova.objects.ids import GroupId, InstanceId, ProjectId, UserId


class ServerGroup(Value, frozen=True, kw_only=True):
    """Instances that should share a host, or should not."""

    id: GroupId
    name: str
    policy: str
    max_per_host: int | None = None
    project_id: ProjectId
    user_id: UserId
    members: tuple[InstanceId, ...] = ()
