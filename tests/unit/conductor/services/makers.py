"""Values to store in tests of the conductor's services."""

from __future__ import annotations

import datetime
from typing import Any

from nova import ids
from nova.objects.flavor import Flavor
from nova.objects.host import HostInventory
from nova.objects.image import Image
from nova.objects.instance import Instance
from nova.objects.network import Network
from nova.objects.states import Vm

THEN = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)
SMALL = Flavor(id="1", name="m1.tiny", vcpus=1, ram_mb=512, root_gb=1)


def flavor(**values: Any) -> Flavor:
    made: dict[str, Any] = {"id": "2", "name": "m1.small", "vcpus": 1, "ram_mb": 2048, "root_gb": 20}
    return Flavor(**(made | values))


def instance(**values: Any) -> Instance:
    made: dict[str, Any] = {
        "id": ids.new_uuid(),
        "project_id": "p1",
        "user_id": "u1",
        "display_name": "web",
        "hostname": "web",
        "vm_state": Vm.ACTIVE,
        "flavor": SMALL,
        "image": Image(id="155d900f-4e14-4e4c-a73d-069cbf4541e6", name="cirros"),
        "host": "h1",
        "node": "h1",
        "created_at": THEN,
        "launched_at": THEN,
    }
    return Instance(**(made | values))


def network(**values: Any) -> Network:
    return Network(**({"id": "", "label": "private", "cidr": "10.0.0.0/24"} | values))


def inventory(host: str, **values: Any) -> HostInventory:
    made: dict[str, Any] = {"host": host, "node": host, "hypervisor_type": "fake", "vcpus": 4, "ram_mb": 8192}
    return HostInventory(**(made | values))
