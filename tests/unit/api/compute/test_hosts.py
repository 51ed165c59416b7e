"""Services, hypervisors and availability zones."""

from __future__ import annotations

import datetime
from typing import Any

import msgspec
import pytest

from nova.errors import NotFound
from nova.objects.host import HostInventory, Hypervisor, Service, Zone
from tests.unit.api.compute.site import ADMIN, site
from tests.unit.api.wsgi.conftest import Caller

SEEN = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)
UUIDS = [f"00000000-0000-4000-8000-00000000000{n}" for n in range(4)]


def service(number: int, host: str, binary: str = "nova-compute", **more: Any) -> Service:
    return Service(
        id=UUIDS[number], number=number, host=host, binary=binary, is_up=True, seen_at=SEEN, **more
    )


def hypervisor(number: int, of: Service, **more: Any) -> Hypervisor:
    inventory = HostInventory(
        host=of.host,
        node=of.host,
        hypervisor_type="QEMU",
        vcpus=8,
        ram_mb=4096,
        disk_gb=100,
        cpu_info={"arch": "x86_64"},
        **more,
    )
    return Hypervisor(
        id=of.id.replace("0000-4", "1111-4"), number=number, inventory=inventory, used_ram_mb=512, service=of
    )


class Cloud:
    """Keeps hosts as the conductor would."""

    def __init__(self) -> None:
        self.services = [
            service(1, "alpha", zone="nova"),
            service(2, "beta", zone="nova", disabled=True, disabled_reason="broken"),
            service(3, "ctl", "nova-scheduler"),
        ]
        self.nodes = [hypervisor(1, self.services[0], uptime="up 1 day"), hypervisor(2, self.services[1])]

    def list_services(self, ctx, host, binary):
        return [s for s in self.services if host in (None, s.host) and binary in (None, s.binary)]

    def update_service(self, ctx, service, disabled, reason, forced_down):
        at = next(n for n, s in enumerate(self.services) if s.id == service)
        changed = self.services[at]
        if disabled is not None:
            changed = msgspec.structs.replace(changed, disabled=disabled, disabled_reason=reason)
        if forced_down is not None:
            changed = msgspec.structs.replace(changed, forced_down=forced_down)
        self.services[at] = changed
        return changed

    def delete_service(self, ctx, service):
        self.services = [s for s in self.services if s.id != service]

    def list_hypervisors(self, ctx, page, pattern, with_service):
        rows = [node for node in self.nodes if pattern is None or pattern in node.inventory.node]
        if page.marker:
            rows = [n for n in rows if n.number > next(m.number for m in rows if m.id == page.marker)]
        return rows[: page.limit]

    def show_hypervisor(self, ctx, hypervisor):
        for node in self.nodes:
            if hypervisor in (node.id, str(node.number)):
                return node
        raise NotFound(what="Hypervisor", id=hypervisor)

    def instances_by_hypervisor(self, ctx, hypervisors):
        return {"alpha": [(UUIDS[0], "instance-00000001")]} if "alpha" in hypervisors else {}

    def list_zones(self, ctx, detail):
        zones = [Zone(name="nova", services=tuple(self.services[:2]) if detail else ())]
        return [*zones, Zone(name="internal", available=False)] if detail else zones


@pytest.fixture
def call() -> Caller:
    return site(Cloud())


def test_services_have_numbers_and_then_uuids(call: Caller) -> None:
    old = call("GET", "/v2.1/os-services", user=ADMIN).json["services"]
    assert old[1] == {
        "id": 2,
        "binary": "nova-compute",
        "host": "beta",
        "zone": "nova",
        "status": "disabled",
        "state": "up",
        "updated_at": "2030-01-01T00:00:00.000000",
        "disabled_reason": "broken",
    }
    new = call("GET", "/v2.1/os-services?host=alpha", user=ADMIN, version="2.53").json["services"]
    assert [(s["id"], s["forced_down"]) for s in new] == [(UUIDS[1], False)]
    assert "number" not in new[0]
    assert call("GET", "/v2.1/os-services").status_int == 403


def test_services_are_changed_by_verbs(call: Caller) -> None:
    body: dict[str, Any] = {"host": "alpha", "binary": "nova-compute"}
    path = "/v2.1/os-services/"
    assert call("PUT", path + "disable", body, user=ADMIN).json == {"service": {**body, "status": "disabled"}}
    assert call.shelf.services[0].disabled
    assert call("PUT", path + "disable-log-reason", body, user=ADMIN).status_int == 400
    told = call("PUT", path + "disable-log-reason", {**body, "disabled_reason": "why"}, user=ADMIN).json
    assert told["service"]["disabled_reason"] == "why"
    assert call("PUT", path + "enable", body, user=ADMIN).json["service"]["status"] == "enabled"
    down = {**body, "forced_down": True}
    assert call("PUT", path + "force-down", down, user=ADMIN, version="2.11").json == {"service": down}
    assert call("PUT", path + "force-down", body, user=ADMIN, version="2.10").status_int == 404
    assert call("PUT", path + "explode", body, user=ADMIN).status_int == 404
    assert call("PUT", path + "enable", {**body, "host": "x"}, user=ADMIN).status_int == 404
    ctl = {"host": "ctl", "binary": "nova-scheduler"}
    assert call("PUT", path + "disable", ctl, user=ADMIN).status_int == 400


def test_services_are_changed_by_uuid(call: Caller) -> None:
    def put(id: str, **body: Any) -> Any:
        return call("PUT", f"/v2.1/os-services/{id}", body, user=ADMIN, version="2.53")

    shown = put(UUIDS[1], status="disabled", disabled_reason="why").json["service"]
    assert (shown["id"], shown["status"], shown["disabled_reason"]) == (UUIDS[1], "disabled", "why")
    assert put(UUIDS[1], forced_down="yes").json["service"]["state"] == "down"
    assert put(UUIDS[1]).status_int == 400
    assert put(UUIDS[1], disabled_reason="why").status_int == 400
    assert put("enable", status="enabled").status_int == 400
    assert put(UUIDS[0], status="enabled").status_int == 404
    assert put(UUIDS[3], status="disabled").status_int == 400


def test_services_are_deleted(call: Caller) -> None:
    assert call("DELETE", "/v2.1/os-services/2", user=ADMIN).status_int == 204
    assert call("DELETE", "/v2.1/os-services/2", user=ADMIN).status_int == 404
    assert call("DELETE", "/v2.1/os-services/x", user=ADMIN).status_int == 400
    assert call("DELETE", "/v2.1/os-services/1", user=ADMIN, version="2.53").status_int == 400
    assert call("DELETE", f"/v2.1/os-services/{UUIDS[1]}", user=ADMIN, version="2.53").status_int == 204
    assert [s.host for s in call.shelf.services] == ["ctl"]


def test_hypervisors_in_full(call: Caller) -> None:
    old = call("GET", "/v2.1/os-hypervisors/1", user=ADMIN).json["hypervisor"]
    assert (old["id"], old["service"]["id"], old["cpu_info"]) == (1, 1, '{"arch":"x86_64"}')
    assert (old["memory_mb_used"], old["free_ram_mb"]) == (1024, 3072)
    assert "uptime" not in old
    assert "number" not in old["service"]
    node = call.shelf.nodes[0]
    mid = call("GET", "/v2.1/os-hypervisors/detail", user=ADMIN, version="2.53").json["hypervisors"]
    assert (mid[0]["id"], mid[0]["service"]["id"]) == (node.id, UUIDS[1])
    assert mid[0]["cpu_info"] == {"arch": "x86_64"}
    assert (mid[1]["status"], mid[1]["service"]["disabled_reason"]) == ("disabled", "broken")
    new = call("GET", f"/v2.1/os-hypervisors/{node.id}", user=ADMIN, version="2.88").json["hypervisor"]
    assert set(new) == {
        "id", "hypervisor_hostname", "state", "status", "hypervisor_type", "hypervisor_version", "host_ip",
        "uptime", "service",
    }  # fmt: skip
    assert new["uptime"] == "up 1 day"


def test_ids_of_hypervisors(call: Caller) -> None:
    assert call("GET", "/v2.1/os-hypervisors/abc", user=ADMIN).status_int == 404
    assert call("GET", "/v2.1/os-hypervisors/7", user=ADMIN).status_int == 404
    assert call("GET", "/v2.1/os-hypervisors/1", user=ADMIN, version="2.53").status_int == 400
    assert call("GET", "/v2.1/os-hypervisors").status_int == 403


def test_hypervisors_in_pages(call: Caller) -> None:
    path = "/v2.1/os-hypervisors?limit=1"
    assert (
        "limit=1&marker=1"
        in call("GET", path, user=ADMIN, version="2.33").json["hypervisors_links"][0]["href"]
    )
    first = call("GET", path, user=ADMIN, version="2.53").json
    marker = first["hypervisors"][0]["id"]
    second = call("GET", f"{path}&marker={marker}", user=ADMIN, version="2.53").json["hypervisors"]
    assert [node["hypervisor_hostname"] for node in second] == ["beta"]
    assert len(call("GET", path, user=ADMIN, version="2.32").json["hypervisors"]) == 2


def test_searching_hypervisors(call: Caller) -> None:
    found = call("GET", "/v2.1/os-hypervisors/alp/search", user=ADMIN).json["hypervisors"]
    assert found == [{"id": 1, "hypervisor_hostname": "alpha", "state": "up", "status": "enabled"}]
    assert call("GET", "/v2.1/os-hypervisors/zzz/search", user=ADMIN).status_int == 404
    assert call("GET", "/v2.1/os-hypervisors/alp/search", user=ADMIN, version="2.53").status_int == 404
    owned = call("GET", "/v2.1/os-hypervisors/a/servers", user=ADMIN).json["hypervisors"]
    assert owned[0]["servers"] == [{"uuid": UUIDS[0], "name": "instance-00000001"}]
    assert "servers" not in owned[1]
    path = "/v2.1/os-hypervisors?hypervisor_hostname_pattern=a&with_servers=true"
    owned = call("GET", path, user=ADMIN, version="2.75").json["hypervisors"]
    assert [len(node["servers"]) for node in owned] == [1, 0]
    assert call("GET", path + "&limit=1", user=ADMIN, version="2.53").status_int == 400


def test_uptime_and_statistics(call: Caller) -> None:
    shown = call("GET", "/v2.1/os-hypervisors/1/uptime", user=ADMIN).json["hypervisor"]
    assert (shown["id"], shown["uptime"]) == (1, "up 1 day")
    assert call("GET", "/v2.1/os-hypervisors/2/uptime", user=ADMIN).status_int == 501
    assert call("GET", "/v2.1/os-hypervisors/1/uptime", user=ADMIN, version="2.88").status_int == 404
    sums = call("GET", "/v2.1/os-hypervisors/statistics", user=ADMIN).json["hypervisor_statistics"]
    assert (sums["count"], sums["vcpus"], sums["memory_mb"], sums["memory_mb_used"]) == (2, 16, 8192, 2048)
    assert len(sums) == 12


def test_zones(call: Caller) -> None:
    zones = call("GET", "/v2.1/os-availability-zone").json["availabilityZoneInfo"]
    assert zones == [{"zoneName": "nova", "zoneState": {"available": True}, "hosts": None}]
    assert call("GET", "/v2.1/os-availability-zone/detail").status_int == 403
    zones = call("GET", "/v2.1/os-availability-zone/detail", user=ADMIN).json["availabilityZoneInfo"]
    assert zones[0]["hosts"]["beta"] == {
        "nova-compute": {"available": True, "active": False, "updated_at": "2030-01-01T00:00:00.000000"}
    }
    assert zones[1] == {"zoneName": "internal", "zoneState": {"available": False}, "hosts": None}
