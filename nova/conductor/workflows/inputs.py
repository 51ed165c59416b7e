"""What workflows are started with; kept in SQL with the workflow."""

from __future__ import annotations

from nova.objects.base import Value
from nova.objects.ids import HostName, ImageId, NetworkId, NodeName, VifId
from nova.objects.states import Power, Task, Vm


class VifPlan(Value, frozen=True, kw_only=True):
    """An interface to be made: its ids exist before the workflow does."""

    vif_id: VifId
    mac: str
    network_id: NetworkId
    fixed_ip: str | None = None
    tag: str | None = None


class BootInput(Value, frozen=True, kw_only=True):
    """What boot needs beside the instance's row."""

    zone: str | None = None
    forced_host: HostName | None = None
    forced_node: NodeName | None = None
    requested_host: HostName | None = None
    requested_node: NodeName | None = None
    vifs: tuple[VifPlan, ...] = ()
    fixed_ips: int = -1
    """How many fixed addresses the project may hold; -1 = any number."""
    personality: dict[str, str] = {}


class DeleteInput(Value, frozen=True, kw_only=True):
    """Why the instance goes."""

    reason: str


class ActInput(Value, frozen=True, kw_only=True):
    """Which action of the table, and what was before it."""

    action: str
    vm_before: Vm
    task_before: Task | None = None
    power_before: Power = Power.NOSTATE
    shutdown_s: int = 60
    options: dict[str, str | int | bool] = {}
    """What the user asked for beside the action itself."""


class SnapshotInput(Value, frozen=True, kw_only=True):
    """Which image is waiting for the disk."""

    image_id: ImageId
    disk_format: str = "qcow2"
