"""Values to store in tests."""

from __future__ import annotations

import datetime
from typing import Any

from nova import ids
from nova.clock import Clock
from nova.db.workflows import WorkflowRow
from nova.objects.flavor import Flavor
from nova.objects.host import HostInventory
from nova.objects.image import Image
from nova.objects.instance import Instance
from nova.objects.network import Network
from nova.objects.states import Task, Vm
from nova.objects.workflow import WorkflowState

NOW = datetime.datetime(2030, 1, 2, 3, 4, 5, 678900, tzinfo=datetime.UTC)
FLAVOR = Flavor(id="1", name="m1.tiny", vcpus=1, ram_mb=512, root_gb=1, extra_specs={"hw:a": 'quote " \\ ü'})
IMAGE = Image(id="155d900f-4e14-4e4c-a73d-069cbf4541e6", name="cirros")


def at(seconds: float) -> datetime.datetime:
    return NOW + datetime.timedelta(seconds=seconds)


def instance(**values: Any) -> Instance:
    made: dict[str, Any] = {
        "id": ids.new_uuid(),
        "project_id": "p1",
        "user_id": "u1",
        "display_name": "web-1",
        "hostname": "web-1",
        "vm_state": Vm.BUILDING,
        "task_state": Task.SCHEDULING,
        "flavor": FLAVOR,
        "image": IMAGE,
        "created_at": NOW,
        "reservation_id": "r-12345678",
    }
    return Instance(**(made | values))


def inventory(host: str, **values: Any) -> HostInventory:
    made: dict[str, Any] = {
        "host": host,
        "node": host,
        "hypervisor_type": "fake",
        "vcpus": 4,
        "ram_mb": 8192,
        "disk_gb": 100,
        "reserved_ram_mb": 0,
        "cpu_ratio": 1.0,
    }
    return HostInventory(**(made | values))


def network(**values: Any) -> Network:
    made: dict[str, Any] = {"id": ids.new_uuid(), "label": "private", "cidr": "10.0.0.0/24"}
    return Network(**(made | values))


def workflow(**values: Any) -> WorkflowRow:
    made: dict[str, Any] = {
        "id": ids.new_uuid(),
        "kind": "boot",
        "action": "create",
        "instance_id": ids.new_uuid(),
        "request_id": ids.new_request_id(),
        "user_id": "u1",
        "project_id": "p1",
        "state": WorkflowState.READY,
        "started_at": NOW,
        "updated_at": NOW,
    }
    return WorkflowRow(**(made | values))


class ShownClock(Clock):
    """A clock whose wall face shows what it is told, while time goes on."""

    def __init__(self) -> None:
        self.shown = NOW

    def now(self) -> datetime.datetime:
        return self.shown

    def age_s(self, then: datetime.datetime) -> float:
        return (self.shown - then).total_seconds()

    def show(self, seconds: float) -> None:
        self.shown = at(seconds)
