"""A guest as a host must build it: everything decided, nothing to look up."""

from __future__ import annotations

from nova.objects.base import Value
from nova.objects.block_device import BlockDevice
from nova.objects.flavor import Flavor
from nova.objects.ids import InstanceId, ProjectId, UserId
from nova.objects.image import Image
from nova.objects.network import FilterRule, Vif


class GuestSpec(Value, frozen=True, kw_only=True):
    """The complete description of a guest for a driver and for its metadata."""

    id: InstanceId
    name: str
    """Display name, for the domain's title and the metadata."""
    hostname: str
    project_id: ProjectId
    user_id: UserId
    flavor: Flavor
    image: Image | None = None
    block_devices: tuple[BlockDevice, ...] = ()
    vifs: tuple[Vif, ...] = ()
    rules: tuple[FilterRule, ...] = ()
    key_name: str | None = None
    key_data: str | None = None
    key_type: str | None = None
    user_data: str | None = None
    config_drive: bool = False
    metadata: dict[str, str] = {}
    availability_zone: str | None = None
    launch_index: int = 0
    reservation_id: str = ""
    admin_password: str | None = None
    personality: dict[str, str] = {}
    power_on: bool = True


class Diagnostics(Value, frozen=True, kw_only=True):
    """Counters of a running guest (the form of 2.48)."""

    state: str = "running"
    driver: str = ""
    hypervisor: str = ""
    hypervisor_os: str = ""
    uptime_s: int | None = None
    config_drive: bool = False
    cpus: tuple[dict[str, int | None], ...] = ()
    memory: dict[str, int | None] = {}
    nics: tuple[dict[str, object], ...] = ()
    disks: tuple[dict[str, int | None], ...] = ()


class ConsoleTarget(Value, frozen=True, kw_only=True):
    """Where a guest's console listens, as its host tells it."""

    host: str
    port: int
    internal_path: str | None = None
