"""Instances: what the API calls servers."""

from __future__ import annotations

import datetime

from nova.objects.base import Value
from nova.objects.block_device import BlockDevice
from nova.objects.flavor import Flavor
from nova.objects.ids import (
    FlavorId,
    GroupId,
    HostName,
    ImageId,
    InstanceId,
    NodeName,
    ProjectId,
    UserId,
)
from nova.objects.image import Image
from nova.objects.network import NetworkChoice, NetworkWish, Vif
from nova.objects.states import LockedBy, Power, Task, Vm


class Fault(Value, frozen=True, kw_only=True):
    """Why an instance is in ERROR, as its users are told."""

    code: int
    message: str
    created_at: datetime.datetime
    details: str = ""


class Instance(Value, frozen=True, kw_only=True):
    """An instance with all that its views need; read in one statement."""

    id: InstanceId
    project_id: ProjectId
    user_id: UserId
    display_name: str
    hostname: str
    vm_state: Vm
    task_state: Task | None = None
    power_state: Power = Power.NOSTATE
    flavor: Flavor
    """A copy made at boot (or resize)."""
    image: Image | None = None
    """A copy made at boot; none when it boots from a volume."""
    description: str | None = None
    metadata: dict[str, str] = {}
    tags: tuple[str, ...] = ()
    vifs: tuple[Vif, ...] = ()
    security_groups: tuple[str, ...] = ()
    block_devices: tuple[BlockDevice, ...] = ()
    key_name: str | None = None
    key_data: str | None = None
    key_type: str | None = None
    user_data: str | None = None
    """Base64, as given."""
    config_drive: bool = False
    locked_by: LockedBy | None = None
    locked_reason: str | None = None
    availability_zone: str | None = None
    pinned_zone: str | None = None
    """The zone the user asked for."""
    host: HostName | None = None
    node: NodeName | None = None
    launch_index: int = 0
    reservation_id: str = ""
    root_device_name: str | None = "/dev/vda"
    access_ip_v4: str | None = None
    access_ip_v6: str | None = None
    auto_disk_config: bool = True
    progress: int = 0
    scheduler_hints: dict[str, list[str]] = {}
    server_group_id: GroupId | None = None
    trusted_certs: tuple[str, ...] | None = None
    fault: Fault | None = None
    created_at: datetime.datetime
    updated_at: datetime.datetime | None = None
    launched_at: datetime.datetime | None = None
    terminated_at: datetime.datetime | None = None
    deleted_at: datetime.datetime | None = None
    revision: int = 0
    """Grows with every change of state; what a compare-and-swap names."""
    host_status: str = ""
    """UP, UNKNOWN, DOWN, MAINTENANCE or empty without host (for the view, from 2.16 on)."""

    @property
    def is_deleted(self) -> bool:
        return self.deleted_at is not None


class BootWish(Value, frozen=True, kw_only=True):
    """A create request, parsed, at the newest meaning: names and ids still unresolved."""

    name: str
    flavor_id: FlavorId
    image_id: ImageId | None = None
    min_count: int = 1
    max_count: int = 1
    key_name: str | None = None
    network_choice: NetworkChoice = NetworkChoice.LEGACY
    networks: tuple[NetworkWish, ...] = ()
    security_groups: tuple[str, ...] = ()
    """Names or ids; empty = the project's default group."""
    user_data: str | None = None
    config_drive: bool = False
    metadata: dict[str, str] = {}
    tags: tuple[str, ...] = ()
    description: str | None = None
    hostname: str | None = None
    availability_zone: str | None = None
    forced_host: HostName | None = None
    """From ``zone:host:node``; skips the filters."""
    forced_node: NodeName | None = None
    requested_host: HostName | None = None
    """From ``host`` (2.74): the filters still apply."""
    requested_node: NodeName | None = None
    block_devices: tuple[BlockDevice, ...] = ()
    scheduler_hints: dict[str, list[str]] = {}
    access_ip_v4: str | None = None
    access_ip_v6: str | None = None
    auto_disk_config: bool = True
    admin_password: str | None = None
    trusted_certs: tuple[str, ...] | None = None
    personality: dict[str, str] = {}
    """Path to base64 content (until 2.56)."""


class Booted(Value, frozen=True, kw_only=True):
    """The answer to a create request: committed, not yet built."""

    ids: tuple[InstanceId, ...]
    reservation_id: str
    admin_password: str | None = None
    security_groups: tuple[str, ...] = ()


class InstanceChanges(Value, frozen=True, kw_only=True):
    """What ``PUT /servers/{id}`` may change; none = leave as it is, "" = clear where text may be cleared."""

    display_name: str | None = None
    description: str | None = None
    clear_description: bool = False
    hostname: str | None = None
    access_ip_v4: str | None = None
    access_ip_v6: str | None = None
    auto_disk_config: bool | None = None


class InstanceQuery(Value, frozen=True, kw_only=True):
    """Filters, order and page of a list of instances, validated by the API, answered in SQL.

    Fields ending in ``_regex`` are searched in the value; the others are exact.  A tuple means "any of".
    """

    all_projects: bool = False
    project_id: ProjectId | None = None
    """Only with ``all_projects``; otherwise the caller's project."""
    detail: bool = True
    """False: only ids and names are wanted."""
    ids: tuple[InstanceId, ...] = ()
    vm_states: tuple[Vm, ...] = ()
    task_states: tuple[Task | None, ...] = ()
    """With vm_states; empty = any."""
    deleted: bool = False
    soft_deleted: bool = False
    name_regex: str | None = None
    hostname_regex: str | None = None
    ip_regex: str | None = None
    ip6_regex: str | None = None
    key_name_regex: str | None = None
    zone_regex: str | None = None
    description_regex: str | None = None
    access_ip_v4_regex: str | None = None
    access_ip_v6_regex: str | None = None
    user_id: UserId | None = None
    reservation_id: str | None = None
    flavor_id: FlavorId | None = None
    image_id: ImageId | None = None
    host: HostName | None = None
    node: NodeName | None = None
    config_drive: bool | None = None
    auto_disk_config: bool | None = None
    locked: bool | None = None
    locked_by: str | None = None
    power_state: int | None = None
    progress: int | None = None
    launch_index: int | None = None
    root_device_name: str | None = None
    created_at: datetime.datetime | None = None
    launched_at: datetime.datetime | None = None
    terminated_at: datetime.datetime | None = None
    tags: tuple[str, ...] = ()
    tags_any: tuple[str, ...] = ()
    not_tags: tuple[str, ...] = ()
    not_tags_any: tuple[str, ...] = ()
    changes_since: datetime.datetime | None = None
    changes_before: datetime.datetime | None = None
    sort: tuple[tuple[str, str], ...] = (("created_at", "desc"),)
    """Pairs of column word (as the API spells it) and ``asc`` or ``desc``; ties fall by id."""
    limit: int | None = None
    marker: InstanceId | None = None


class InstancePage(Value, frozen=True, kw_only=True):
    """A page of instances; ``more`` tells that another page follows."""

    instances: tuple[Instance, ...]
    more: bool = False
