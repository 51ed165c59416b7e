"""The catalogue of the API over a conductor's real answers, down to SQLite."""

from __future__ import annotations

import datetime
from typing import Any

import msgspec
import pytest

from nova.conductor.endpoint import ConductorEndpoint
from nova.conductor.world import World
from nova.context import system_context
from nova.db import instances
from nova.objects.host import HostInventory, ServiceBeat
from nova.objects.network import Network, Topology
from tests.support.microversions import NEWEST
from tests.unit.api.compute.site import ADMIN, site
from tests.unit.api.wsgi.conftest import Caller
from tests.unit.conductor.conftest import kept, world  # noqa: F401
from tests.unit.conductor.services.makers import instance

SYSTEM = system_context("req-0")


@pytest.fixture
def call(world: World) -> Caller:  # noqa: F811
    conductor = ConductorEndpoint(world)
    beats = [ServiceBeat(host="h1", binary="nova-compute"), ServiceBeat(host="c1", binary="nova-scheduler")]
    conductor.heartbeat(SYSTEM, beats)
    has = HostInventory(host="h1", node="h1", hypervisor_type="QEMU", vcpus=4, ram_mb=4096, disk_gb=50)
    conductor.inventory(SYSTEM, [has])
    return site(conductor)


def ask(call: Caller, code: int, method: str, path: str, body: Any = None, version: str = NEWEST) -> Any:
    answer = call(method, f"/v2.1{path}", body, user=ADMIN, version=version)
    assert answer.status_int == code, answer.text
    return answer.json if answer.body else None


def test_flavors(call: Caller) -> None:
    wish = {"name": "m1", "ram": 64, "vcpus": 1, "disk": 1, "id": "7", "os-flavor-access:is_public": False}
    ask(call, 200, "POST", "/flavors", {"flavor": wish})
    ask(call, 409, "POST", "/flavors", {"flavor": wish})
    ask(call, 200, "POST", "/flavors/7/os-extra_specs", {"extra_specs": {"hw:cpu_policy": "shared"}})
    shown = ask(call, 200, "GET", "/flavors/7")["flavor"]
    assert shown["extra_specs"] == {"hw:cpu_policy": "shared"}
    assert call("GET", "/v2.1/flavors").json == {"flavors": []}
    ask(call, 200, "POST", "/flavors/7/action", {"addTenantAccess": {"tenant": "aaaa1111"}})
    ask(call, 409, "POST", "/flavors/7/action", {"addTenantAccess": {"tenant": "aaaa1111"}})
    assert [row["name"] for row in call("GET", "/v2.1/flavors").json["flavors"]] == ["m1"]
    ask(call, 200, "DELETE", "/flavors/7/os-extra_specs/hw:cpu_policy")
    ask(call, 404, "DELETE", "/flavors/7/os-extra_specs/hw:cpu_policy")
    ask(call, 202, "DELETE", "/flavors/7")
    ask(call, 404, "GET", "/flavors/7")


def test_keypairs_and_limits(call: Caller) -> None:
    made = ask(call, 200, "POST", "/os-keypairs", {"keypair": {"name": "k"}}, "2.1")["keypair"]
    assert "PRIVATE KEY" in made["private_key"]
    same = {"name": "k", "public_key": made["public_key"]}
    ask(call, 409, "POST", "/os-keypairs", {"keypair": same})
    ask(call, 400, "POST", "/os-keypairs", {"keypair": {"name": "x", "public_key": "no key"}})
    assert ask(call, 200, "GET", "/os-keypairs/k")["keypair"]["fingerprint"] == made["fingerprint"]
    ask(call, 400, "GET", "/os-keypairs?marker=zz")
    ask(call, 204, "DELETE", "/os-keypairs/k")
    ask(call, 404, "DELETE", "/os-keypairs/k")
    absolute = ask(call, 200, "GET", "/limits", version="2.1")["limits"]["absolute"]
    assert (absolute["maxTotalInstances"], absolute["maxPersonality"]) == (10, 5)


def test_quotas_and_groups(call: Caller) -> None:
    ask(call, 200, "PUT", "/os-quota-sets/aaaa0000", {"quota_set": {"server_groups": 1}})
    body = {"server_group": {"name": "g", "policy": "affinity"}}
    group = ask(call, 200, "POST", "/os-server-groups", body)["server_group"]["id"]
    ask(call, 403, "POST", "/os-server-groups", body)
    ask(call, 400, "PUT", "/os-quota-sets/aaaa0000", {"quota_set": {"server_groups": 0}})
    ask(call, 204, "DELETE", f"/os-server-groups/{group}")
    ask(call, 404, "GET", f"/os-server-groups/{group}")
    ask(call, 202, "DELETE", "/os-quota-sets/aaaa0000")
    assert ask(call, 200, "GET", "/os-quota-sets/aaaa0000")["quota_set"]["server_groups"] == 10
    ask(call, 200, "PUT", "/os-quota-class-sets/default", {"quota_class_set": {"cores": 99}})
    assert ask(call, 200, "GET", "/os-quota-sets/aaaa0000/defaults")["quota_set"]["cores"] == 99


def test_hosts(call: Caller) -> None:
    compute, scheduler = sorted(
        ask(call, 200, "GET", "/os-services")["services"], key=lambda service: service["binary"]
    )
    assert (compute["binary"], compute["zone"], compute["state"]) == ("nova-compute", "nova", "up")
    assert scheduler["zone"] == "internal"
    change = {"status": "disabled", "disabled_reason": "rain"}
    assert ask(call, 200, "PUT", f"/os-services/{compute['id']}", change)["service"]["status"] == "disabled"
    (node,) = ask(call, 200, "GET", "/os-hypervisors/detail?with_servers=1")["hypervisors"]
    assert (node["status"], node["servers"], node["service"]["disabled_reason"]) == ("disabled", [], "rain")
    old = ask(call, 200, "GET", "/os-hypervisors/detail", version="2.1")["hypervisors"][0]
    assert (old["memory_mb"], type(old["id"])) == (4096, int)
    ask(call, 200, "GET", f"/os-hypervisors/{old['id']}", version="2.1")
    ask(call, 404, "GET", "/os-hypervisors/999", version="2.1")
    zones = ask(call, 200, "GET", "/os-availability-zone/detail")["availabilityZoneInfo"]
    assert [zone["zoneName"] for zone in zones] == ["internal", "nova"]
    number = ask(call, 200, "GET", "/os-services?binary=nova-scheduler", version="2.1")["services"][0]["id"]
    ask(call, 204, "DELETE", f"/os-services/{number}", version="2.1")


def test_aggregates(call: Caller) -> None:
    for name, zone in (("a", "east"), ("b", "west")):
        ask(call, 200, "POST", "/os-aggregates", {"aggregate": {"name": name, "availability_zone": zone}})
    east, west = ask(call, 200, "GET", "/os-aggregates")["aggregates"]
    add = {"add_host": {"host": "h1"}}
    ask(call, 200, "POST", f"/os-aggregates/{east['id']}/action", add)
    ask(call, 409, "POST", f"/os-aggregates/{east['id']}/action", add)
    ask(call, 409, "POST", f"/os-aggregates/{west['id']}/action", add)
    ask(call, 404, "POST", f"/os-aggregates/{west['id']}/action", {"add_host": {"host": "h9"}})
    ask(call, 409, "PUT", f"/os-aggregates/{west['id']}", {"aggregate": {"name": "a"}})
    ask(call, 400, "DELETE", f"/os-aggregates/{east['id']}")
    ask(call, 200, "POST", f"/os-aggregates/{east['id']}/action", {"remove_host": {"host": "h1"}})
    ask(call, 200, "DELETE", f"/os-aggregates/{east['id']}")


def test_networks_and_security_groups(call: Caller) -> None:
    wanted = Network(id="", label="net", cidr="10.1.0.0/24", topology=Topology.NONE)
    call.shelf.create_network(SYSTEM, wanted)
    (network,) = ask(call, 200, "GET", "/os-networks", version="2.35")["networks"]
    assert (network["label"], network["gateway"]) == ("net", "10.1.0.1")
    (group,) = ask(call, 200, "GET", "/os-security-groups", version="2.35")["security_groups"]
    assert group["name"] == "default"
    wish = {"parent_group_id": group["id"], "ip_protocol": "icmp", "from_port": -1, "to_port": -1}
    body = {"security_group_rule": wish}
    path = "/os-security-group-rules"
    rule = ask(call, 200, "POST", path, body, "2.1")["security_group_rule"]
    assert (rule["ip_protocol"], rule["from_port"]) == ("icmp", -1)
    ask(call, 400, "POST", path, body, "2.1")
    ask(call, 202, "DELETE", f"{path}/{rule['id']}", version="2.1")
    ask(call, 404, "DELETE", f"{path}/{rule['id']}", version="2.1")
    ask(call, 400, "DELETE", f"/os-security-groups/{group['id']}", version="2.1")


def test_usage(call: Caller, world: World) -> None:  # noqa: F811
    now = world.clock.now()
    running = msgspec.structs.replace(instance(), launched_at=now - datetime.timedelta(hours=2))
    world.db.run(lambda tx: instances.insert(tx, [running]))
    start, end = (moment.strftime("%Y-%m-%dT%H:%M:%S") for moment in (now - datetime.timedelta(hours=1), now))
    (usage,) = ask(call, 200, "GET", f"/os-simple-tenant-usage?detailed=1&start={start}&end={end}")[
        "tenant_usages"
    ]
    assert usage["total_hours"] == 1.0
    assert usage["server_usages"][0]["instance_id"] == running.id
    assert ask(call, 200, "GET", "/os-hosts/h1", version="2.1")["host"][3]["resource"]["project"] == "p1"
