"""Flavors, keys, quotas, hosts, groups and images over real HTTP, through all daemons."""

from __future__ import annotations

from typing import Any

from tests.support.cloud import Bench, User
from tests.support.microversions import NEWEST


def ask(user: User, code: int, method: str, path: str, body: Any = None, version: str = NEWEST) -> Any:
    answer = user.ask(method, path, body, version=version)
    assert answer.status == code, answer
    return answer.body


def test_a_private_flavor(cloud: Bench) -> None:
    admin, demo = cloud.admin, cloud.demo
    wish = {"name": "secret", "ram": 64, "vcpus": 1, "disk": 0, "os-flavor-access:is_public": False}
    id = ask(admin, 200, "POST", "/flavors", {"flavor": wish})["flavor"]["id"]
    ask(demo, 404, "GET", f"/flavors/{id}")
    ask(admin, 200, "POST", f"/flavors/{id}/action", {"addTenantAccess": {"tenant": "demo"}})
    assert id in [flavor["id"] for flavor in ask(demo, 200, "GET", "/flavors")["flavors"]]
    assert id not in [flavor["id"] for flavor in ask(cloud.other, 200, "GET", "/flavors")["flavors"]]
    ask(admin, 200, "POST", f"/flavors/{id}/os-extra_specs", {"extra_specs": {"hw:cpu_policy": "shared"}})
    ask(admin, 200, "PUT", f"/flavors/{id}", {"flavor": {"description": "not for all"}})
    shown = ask(demo, 200, "GET", f"/flavors/{id}")["flavor"]
    assert (shown["extra_specs"], shown["description"]) == ({"hw:cpu_policy": "shared"}, "not for all")
    ask(admin, 200, "DELETE", f"/flavors/{id}/os-extra_specs/hw:cpu_policy")
    removed = ask(admin, 200, "POST", f"/flavors/{id}/action", {"removeTenantAccess": {"tenant": "demo"}})
    assert removed == {"flavor_access": []}
    ask(admin, 202, "DELETE", f"/flavors/{id}")
    ask(admin, 404, "GET", f"/flavors/{id}/os-flavor-access")


def test_key_pairs(cloud: Bench) -> None:
    demo = cloud.demo
    for name, kind in (("mine", "ssh"), ("cert", "x509")):
        body = {"keypair": {"name": name, "type": kind}}
        made = ask(demo, 201, "POST", "/os-keypairs", body, "2.91")["keypair"]
        assert made["private_key"].startswith("-----BEGIN")
    listed = ask(demo, 200, "GET", "/os-keypairs?limit=1")
    assert [row["keypair"]["name"] for row in listed["keypairs"]] == ["cert"]
    assert "marker=cert" in listed["keypairs_links"][0]["href"]
    assert ask(cloud.admin, 200, "GET", "/os-keypairs/mine?user_id=demo")["keypair"]["user_id"] == "demo"
    for name in ("mine", "cert"):
        ask(demo, 204, "DELETE", f"/os-keypairs/{name}")
    assert ask(demo, 200, "GET", "/os-keypairs") == {"keypairs": []}


def test_quotas(cloud: Bench) -> None:
    admin = cloud.admin
    changed = ask(admin, 200, "PUT", "/os-quota-sets/elsewhere", {"quota_set": {"cores": 7, "force": True}})
    assert changed["quota_set"]["cores"] == 7
    assert ask(admin, 200, "GET", "/limits?tenant_id=elsewhere")["limits"]["absolute"]["maxTotalCores"] == 7
    assert ask(admin, 200, "GET", "/os-quota-sets/elsewhere/detail")["quota_set"]["cores"]["limit"] == 7
    ask(admin, 202, "DELETE", "/os-quota-sets/elsewhere")
    usual = ask(admin, 200, "GET", "/os-quota-sets/elsewhere/defaults")["quota_set"]
    assert ask(admin, 200, "GET", "/os-quota-sets/elsewhere")["quota_set"] == usual
    ask(admin, 200, "PUT", "/os-quota-class-sets/other", {"quota_class_set": {"ram": 5}})
    other = ask(admin, 200, "GET", "/os-quota-class-sets/other")["quota_class_set"]
    assert other == usual | {"id": "other", "ram": 5}
    assert ask(admin, 200, "GET", "/os-quota-class-sets/default")["quota_class_set"]["ram"] == usual["ram"]


def test_hosts(cloud: Bench) -> None:
    admin = cloud.admin
    services = ask(admin, 200, "GET", "/os-services?binary=nova-compute")["services"]
    assert services
    assert services[0]["state"] == "up"
    path = f"/os-services/{services[0]['id']}"
    assert ask(admin, 200, "PUT", path, {"status": "disabled"})["service"]["status"] == "disabled"
    assert ask(admin, 200, "PUT", path, {"status": "enabled"})["service"]["status"] == "enabled"
    (node, *_) = ask(admin, 200, "GET", "/os-hypervisors/detail?with_servers=true")["hypervisors"]
    shown = ask(admin, 200, "GET", f"/os-hypervisors/{node['id']}")["hypervisor"]
    assert shown["service"]["host"] == node["service"]["host"]
    old = ask(admin, 200, "GET", "/os-hypervisors/statistics", version="2.1")["hypervisor_statistics"]
    assert old["count"] >= 1
    zones = ask(cloud.demo, 200, "GET", "/os-availability-zone")["availabilityZoneInfo"]
    assert {"zoneName": "nova", "zoneState": {"available": True}, "hosts": None} in zones
    detail = ask(admin, 200, "GET", "/os-availability-zone/detail")["availabilityZoneInfo"]
    assert node["service"]["host"] in next(zone for zone in detail if zone["zoneName"] == "nova")["hosts"]
    resources = ask(admin, 200, "GET", f"/os-hosts/{node['service']['host']}", version="2.1")["host"]
    assert resources[0]["resource"]["project"] == "(total)"


def test_aggregates(cloud: Bench) -> None:
    admin = cloud.admin
    host = ask(admin, 200, "GET", "/os-services?binary=nova-compute")["services"][0]["host"]
    made = ask(admin, 200, "POST", "/os-aggregates", {"aggregate": {"name": "fast"}})["aggregate"]
    path = f"/os-aggregates/{made['id']}"
    metadata = {"set_metadata": {"metadata": {"ssd": "true", "no": None}}}
    assert ask(admin, 200, "POST", f"{path}/action", metadata)["aggregate"]["metadata"] == {"ssd": "true"}
    added = ask(admin, 200, "POST", f"{path}/action", {"add_host": {"host": host}})["aggregate"]
    assert added["hosts"] == [host]
    ask(admin, 400, "DELETE", path)
    ask(admin, 200, "POST", f"{path}/action", {"remove_host": {"host": host}})
    ask(admin, 200, "DELETE", path)
    ask(admin, 404, "GET", path)


def test_groups(cloud: Bench) -> None:
    demo = cloud.demo
    rules = {"max_server_per_host": 2}
    body = {"server_group": {"name": "apart", "policy": "anti-affinity", "rules": rules}}
    group = ask(demo, 200, "POST", "/os-server-groups", body)["server_group"]
    assert group["rules"] == rules
    ask(cloud.other, 404, "GET", f"/os-server-groups/{group['id']}")
    ask(demo, 204, "DELETE", f"/os-server-groups/{group['id']}")
    body = {"security_group": {"name": "web", "description": "of the web"}}
    wall = ask(demo, 200, "POST", "/os-security-groups", body, "2.35")["security_group"]
    wish = {"parent_group_id": wall["id"], "ip_protocol": "tcp", "from_port": 80, "to_port": 80}
    rule = ask(demo, 200, "POST", "/os-security-group-rules", {"security_group_rule": wish}, "2.35")
    names = {
        row["name"] for row in ask(demo, 200, "GET", "/os-security-groups", version="2.35")["security_groups"]
    }
    assert names >= {"default", "web"}
    ask(demo, 202, "DELETE", f"/os-security-group-rules/{rule['security_group_rule']['id']}", version="2.35")
    ask(demo, 202, "DELETE", f"/os-security-groups/{wall['id']}", version="2.35")


def test_images_and_networks_of_old_clients(cloud: Bench) -> None:
    image = ask(cloud.demo, 200, "GET", f"/images/{cloud.image}", version="2.1")["image"]
    assert image["status"] == "ACTIVE"
    assert cloud.image in [
        row["id"] for row in ask(cloud.demo, 200, "GET", "/images", version="2.1")["images"]
    ]
    (network,) = ask(cloud.demo, 200, "GET", "/os-networks", version="2.1")["networks"]
    assert ask(cloud.demo, 200, "GET", f"/os-networks/{network['id']}", version="2.1")["network"] == network
    assert len(ask(cloud.demo, 200, "GET", "/extensions")["extensions"]) == 99


def test_usage(cloud: Bench) -> None:
    server = cloud.other.boot(cloud.image, name="counted")
    cloud.other.wait(server, "ACTIVE")
    cloud.other.ask("DELETE", f"/servers/{server}")
    cloud.other.wait_gone(server)
    period = "start=2020-01-01T00:00:00&end=2120-01-01T00:00:00"
    usage = ask(cloud.other, 200, "GET", f"/os-simple-tenant-usage/other?{period}")["tenant_usage"]
    states = {row["instance_id"]: row["state"] for row in usage["server_usages"]}
    assert states[server] == "terminated"
