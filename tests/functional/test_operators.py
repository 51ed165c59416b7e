"""What operators and projects keep, over real HTTP, through API, conductor and SQL."""

from __future__ import annotations

from typing import Any

import pytest

from nova.compute.agent import Agent
from nova.objects.image import Image
from tests.support.cloud import Bench, User, eventually

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ5MBGyFXAi2CP9jWjbB1mKCgE3cEYzMjBDEcYzfLRCa me@home"


def statuses(user: User, *asked: tuple[Any, ...]) -> list[int]:
    return [user.ask(*one).status for one in asked]


def test_flavors_are_made_shown_and_taken_away(cloud: Bench) -> None:
    wish = {"name": "gold", "ram": 64, "vcpus": 1, "disk": 1, "id": "g", "os-flavor-access:is_public": False}
    assert cloud.demo.ask("POST", "/flavors", {"flavor": wish}).status == 403
    assert cloud.admin.ask("POST", "/flavors", {"flavor": wish}).status == 200
    assert cloud.admin.ask("POST", "/flavors", {"flavor": wish}).status == 409
    assert cloud.admin.ask("POST", "/flavors", {"flavor": wish | {"id": "h"}}).status == 409
    assert cloud.demo.ask("GET", "/flavors/g").status == 404
    access = {"addTenantAccess": {"tenant": "demo"}}
    assert cloud.admin.ask("POST", "/flavors/g/action", access).status == 200
    assert cloud.admin.ask("POST", "/flavors/g/action", access).status == 409
    assert cloud.demo.ask("GET", "/flavors/g").body["flavor"]["ram"] == 64
    specs = {"extra_specs": {"hw:cpu_policy": "shared"}}
    assert cloud.admin.ask("POST", "/flavors/g/os-extra_specs", specs).status == 200
    assert cloud.demo.ask("GET", "/flavors/g/os-extra_specs").body == specs
    assert cloud.admin.ask("DELETE", "/flavors/g/os-extra_specs/hw:cpu_policy").status == 200
    assert cloud.admin.ask("DELETE", "/flavors/g/os-extra_specs/hw:cpu_policy").status == 404
    assert statuses(cloud.admin, ("DELETE", "/flavors/g"), ("DELETE", "/flavors/g")) == [202, 404]


def test_key_pairs_belong_to_users(cloud: Bench) -> None:
    wish = {"keypair": {"name": "mine", "public_key": KEY, "type": "ssh"}}
    assert cloud.demo.ask("POST", "/os-keypairs", wish).status == 201
    assert cloud.demo.ask("POST", "/os-keypairs", wish).status == 409
    assert cloud.demo.ask("GET", "/os-keypairs/mine").body["keypair"]["public_key"] == KEY
    assert cloud.other.ask("GET", "/os-keypairs/mine").status == 404
    broken = {"keypair": {"name": "broken", "public_key": "ssh-rsa nonsense", "type": "ssh"}}
    assert cloud.demo.ask("POST", "/os-keypairs", broken).status == 400
    made = cloud.demo.ask("POST", "/os-keypairs", {"keypair": {"name": "made"}}, version="2.1")
    assert made.status == 200 and "BEGIN RSA PRIVATE KEY" in made.body["keypair"]["private_key"]
    server = cloud.demo.boot(cloud.image, key_name="mine")
    assert cloud.demo.wait(server, "ACTIVE")["key_name"] == "mine"
    assert statuses(cloud.demo, *[("DELETE", f"/os-keypairs/{n}") for n in ("mine", "made", "mine")]) == [
        204,
        204,
        404,
    ]
    cloud.demo.ask("DELETE", f"/servers/{server}")
    cloud.demo.wait_gone(server)


def test_images_are_brought_to_the_hosts_of_an_aggregate(
    cloud: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, list[str]]] = []

    def cache(agent: Agent, host: str, images: list[Image]) -> None:
        asked.append((host, [image.id for image in images]))

    monkeypatch.setattr(Agent, "cache_images", cache)
    made = cloud.admin.ask("POST", "/os-aggregates", {"aggregate": {"name": "cached"}}).body["aggregate"][
        "id"
    ]
    path, wish = f"/os-aggregates/{made}", {"cache": [{"id": cloud.image}]}
    assert cloud.admin.ask("POST", f"{path}/images", wish).status == 202
    hosts = sorted(row["host"] for row in cloud.admin.ask("GET", "/os-services").body["services"]
                   if row["binary"] == "nova-compute")  # fmt: skip
    for host in hosts:
        assert cloud.admin.ask("POST", f"{path}/action", {"add_host": {"host": host}}).status == 200
    (service, *_) = cloud.admin.ask("GET", f"/os-services?binary=nova-compute&host={hosts[0]}").body[
        "services"
    ]
    cloud.admin.ask("PUT", f"/os-services/{service['id']}", {"status": "disabled"})
    assert cloud.admin.ask("POST", f"{path}/images", wish).status == 202
    eventually(lambda: sorted(asked) == [(host, [cloud.image]) for host in hosts[1:]])
    cloud.admin.ask("PUT", f"/os-services/{service['id']}", {"status": "enabled"})
    unknown = {"cache": [{"id": "12345678-1234-4234-8234-123456789abc"}]}
    assert cloud.admin.ask("POST", f"{path}/images", unknown).status == 400
    for host in hosts:
        cloud.admin.ask("POST", f"{path}/action", {"remove_host": {"host": host}})
    assert cloud.admin.ask("DELETE", path).status == 200


def test_quotas_of_single_users(cloud: Bench) -> None:
    path = "/os-quota-sets/shared"
    joe, eve = (User(cloud.port, name, "shared") for name in ("joe", "eve"))

    def put(limits: dict[str, Any], whose: str = "?user_id=joe") -> int:
        return cloud.admin.ask("PUT", f"{path}{whose}", {"quota_set": limits}).status

    def shown(resource: str, whose: str) -> Any:
        return cloud.admin.ask("GET", f"{path}/detail{whose}").body["quota_set"][resource]

    assert put({"instances": 5}, "") == 200
    assert put({"instances": 6}) == 400, "more than the project has"
    assert put({"instances": -1}) == 400
    assert put({"instances": 6, "force": True}) == 200
    assert put({"instances": 2, "server_groups": 1}) == 200
    server = joe.boot(cloud.image)
    wish = {"name": "b", "imageRef": cloud.image, "flavorRef": "1", "networks": "none"}
    refused = joe.ask("POST", "/servers", {"server": wish | {"min_count": 2}})
    assert refused.body["forbidden"]["message"] == (
        "Quota exceeded for instances: Requested 2, but already used 1 of 2 instances"
    )
    more = joe.ask("POST", "/servers", {"server": wish | {"max_count": 3, "return_reservation_id": True}})
    assert more.status == 202, "as many as fit"
    assert shown("instances", "?user_id=joe") == {"limit": 2, "in_use": 2, "reserved": 0}
    assert shown("instances", "?user_id=eve") == {"limit": 5, "in_use": 0, "reserved": 0}
    assert shown("instances", "") == {"limit": 5, "in_use": 2, "reserved": 0}
    assert put({"instances": 1}) == 400, "less than he has"
    other = eve.boot(cloud.image)
    group = {"server_group": {"name": "g", "policy": "affinity"}}
    assert statuses(joe, *[("POST", "/os-server-groups", group)] * 2) == [200, 403]
    assert eve.ask("POST", "/os-server-groups", group).status == 200
    floating = {"quota_set": {"floating_ips": 3}}
    assert cloud.admin.ask("PUT", f"{path}?user_id=joe", floating, version="2.35").status == 400
    assert cloud.admin.ask("DELETE", f"{path}?user_id=joe").status == 202
    assert shown("instances", "?user_id=joe")["limit"] == 5
    for name in (server, other, *(row["id"] for row in joe.ask("GET", "/servers?name=^b").body["servers"])):
        joe.ask("DELETE", f"/servers/{name}")
        joe.wait_gone(name)
    assert shown("instances", "")["in_use"] == 0


def test_quotas_bound_what_projects_use(cloud: Bench) -> None:
    path = "/os-quota-sets/other"
    usual = cloud.admin.ask("GET", f"{path}/defaults").body["quota_set"]
    assert usual["instances"] == 1000
    assert cloud.other.ask("PUT", path, {"quota_set": {"instances": 9}}).status == 403
    changed = cloud.admin.ask("PUT", path, {"quota_set": {"instances": 1, "server_groups": 0}})
    assert changed.status == 200 and changed.body["quota_set"]["instances"] == 1
    server = cloud.other.boot(cloud.image)
    cloud.other.wait(server, "ACTIVE")
    wish = {"name": "b", "imageRef": cloud.image, "flavorRef": "1", "networks": "none"}
    refused = cloud.other.ask("POST", "/servers", {"server": wish})
    assert refused.status == 403
    assert refused.body["forbidden"]["message"] == (
        "Quota exceeded for instances: Requested 1, but already used 1 of 1 instances"
    )
    group = {"server_group": {"name": "g", "policy": "affinity"}}
    assert cloud.other.ask("POST", "/os-server-groups", group).status == 403
    assert cloud.admin.ask("PUT", path, {"quota_set": {"instances": 0}}).status == 400
    assert cloud.admin.ask("GET", f"{path}/detail").body["quota_set"]["instances"]["in_use"] == 1
    assert cloud.admin.ask("DELETE", path).status == 202
    assert cloud.admin.ask("GET", path).body["quota_set"]["instances"] == 1000
    cloud.other.ask("DELETE", f"/servers/{server}")
    cloud.other.wait_gone(server)


def test_server_groups_keep_servers_apart(cloud: Bench) -> None:
    made = cloud.demo.ask(
        "POST", "/os-server-groups", {"server_group": {"name": "apart", "policy": "anti-affinity"}}
    )
    assert made.status == 200
    group = made.body["server_group"]["id"]
    wish = {"name": "a", "imageRef": cloud.image, "flavorRef": "1", "networks": "none"}
    servers = []
    for _ in range(3):
        answer = cloud.demo.ask("POST", "/servers", {"server": wish, "os:scheduler_hints": {"group": group}})
        servers.append(answer.body["server"]["id"])
    for server in servers:
        cloud.demo.wait(server, "ACTIVE")
    hosts = {cloud.admin.server(server)["OS-EXT-SRV-ATTR:host"] for server in servers}
    assert len(hosts) == 3
    shown = cloud.demo.ask("GET", f"/os-server-groups/{group}").body["server_group"]
    assert sorted(shown["members"]) == sorted(servers)
    assert cloud.other.ask("GET", f"/os-server-groups/{group}").status == 404
    for server in servers:
        cloud.demo.ask("DELETE", f"/servers/{server}")
        cloud.demo.wait_gone(server)
    assert cloud.demo.ask("GET", f"/os-server-groups/{group}").body["server_group"]["members"] == []
    path = f"/os-server-groups/{group}"
    assert statuses(cloud.demo, ("DELETE", path), ("DELETE", path)) == [204, 404]


def test_security_groups_and_their_members(cloud: Bench) -> None:
    user = User(cloud.port, "demo", "demo", "2.1")
    listed = user.ask("GET", "/os-security-groups").body["security_groups"]
    assert [group["name"] for group in listed] == ["default"]
    assert listed[0]["rules"][0]["group"] == {"name": "default", "tenant_id": "demo"}
    made = user.ask("POST", "/os-security-groups", {"security_group": {"name": "web", "description": "d"}})
    assert made.status == 200
    group = made.body["security_group"]["id"]
    wish = {
        "parent_group_id": group,
        "ip_protocol": "tcp",
        "from_port": 80,
        "to_port": 80,
        "cidr": "0.0.0.0/0",
    }
    rule = user.ask("POST", "/os-security-group-rules", {"security_group_rule": wish})
    assert rule.status == 200
    assert user.ask("POST", "/os-security-group-rules", {"security_group_rule": wish}).status == 400
    server = cloud.demo.boot(cloud.image, networks="auto", security_groups=[{"name": group}])
    found = cloud.demo.wait(server, "ACTIVE")
    assert found["security_groups"] == [{"name": "web"}], "asked for by id, shown by name"
    assert cloud.demo.act(server, "addSecurityGroup", {"name": "default"}).status == 202
    names = [g["name"] for g in cloud.demo.server(server)["security_groups"]]
    assert sorted(names) == ["default", "web"]
    assert user.ask("DELETE", f"/os-security-groups/{group}").status == 400
    assert user.ask("GET", "/os-security-groups/web").status == 404, "clients go on to look for the name"
    assert cloud.demo.act(server, "removeSecurityGroup", {"name": "web"}).status == 202
    assert cloud.demo.act(server, "addSecurityGroup", {"name": "nothing"}).status == 404
    rule_path = f"/os-security-group-rules/{rule.body['security_group_rule']['id']}"
    assert statuses(user, ("DELETE", rule_path), ("DELETE", rule_path)) == [202, 404]
    path = f"/os-security-groups/{group}"
    assert statuses(user, ("DELETE", path), ("DELETE", path)) == [202, 404]
    cloud.demo.ask("DELETE", f"/servers/{server}")
    cloud.demo.wait_gone(server)


def test_disabled_hosts_get_no_servers(cloud: Bench) -> None:
    listed = cloud.admin.ask("GET", "/os-services?binary=nova-compute").body["services"]
    assert len(listed) == 3 and {one["state"] for one in listed} == {"up"}
    kept = listed[0]["host"]
    try:
        for one in listed[1:]:
            body = {"status": "disabled", "disabled_reason": "repair"}
            assert cloud.admin.ask("PUT", f"/os-services/{one['id']}", body).status == 200
        eventually(lambda: {boot_and_see(cloud) for _ in range(6)} == {kept})
    finally:
        for one in listed[1:]:
            answer = cloud.admin.ask("PUT", f"/os-services/{one['id']}", {"status": "enabled"})
            assert answer.body["service"]["status"] == "enabled"


def boot_and_see(cloud: Bench) -> str:
    """Boot a server, delete it, and tell on which host it was."""
    server = cloud.demo.boot(cloud.image)
    cloud.demo.wait(server, "ACTIVE")
    host = str(cloud.admin.server(server)["OS-EXT-SRV-ATTR:host"])
    cloud.demo.ask("DELETE", f"/servers/{server}")
    cloud.demo.wait_gone(server)
    return host


def test_zones_follow_aggregates(cloud: Bench) -> None:
    host = cloud.admin.ask("GET", "/os-services?binary=nova-compute").body["services"][2]["host"]
    made = cloud.admin.ask(
        "POST", "/os-aggregates", {"aggregate": {"name": "rack", "availability_zone": "east"}}
    )
    assert made.status == 200
    path = f"/os-aggregates/{made.body['aggregate']['id']}"
    added = cloud.admin.ask("POST", f"{path}/action", {"add_host": {"host": host}})
    assert added.status == 200 and added.body["aggregate"]["hosts"] == [host]
    assert cloud.admin.ask("POST", f"{path}/action", {"add_host": {"host": host}}).status == 409
    assert cloud.admin.ask("POST", f"{path}/action", {"add_host": {"host": "x"}}).status == 404
    zones = cloud.demo.ask("GET", "/os-availability-zone").body["availabilityZoneInfo"]
    assert {zone["zoneName"] for zone in zones} == {"east", "nova"}

    def lands_there() -> bool:
        server = cloud.demo.boot(cloud.image, availability_zone="east")
        try:
            cloud.demo.wait(server, "ACTIVE")
            return bool(cloud.admin.server(server)["OS-EXT-SRV-ATTR:host"] == host)
        except RuntimeError:
            return False  # the scheduler has not heard of the zone yet
        finally:
            cloud.demo.ask("DELETE", f"/servers/{server}")
            cloud.demo.wait_gone(server)

    eventually(lands_there)
    assert cloud.admin.ask("DELETE", path).status in {400, 409}
    assert cloud.admin.ask("POST", f"{path}/action", {"remove_host": {"host": host}}).status == 200
    assert statuses(cloud.admin, ("DELETE", path), ("DELETE", path)) == [200, 404]


def test_hypervisors_show_what_is_used(cloud: Bench) -> None:
    listed = cloud.admin.ask("GET", "/os-hypervisors/detail").body["hypervisors"]
    assert len(listed) == 3 and {one["status"] for one in listed} == {"enabled"}
    server = cloud.demo.boot(cloud.image)
    cloud.demo.wait(server, "ACTIVE")
    found = cloud.admin.ask("GET", "/os-hypervisors?with_servers=true").body["hypervisors"]
    assert [s["uuid"] for one in found for s in one.get("servers") or ()] == [server]
    one = cloud.admin.ask("GET", f"/os-hypervisors/{listed[0]['id']}")
    assert one.status == 200 and one.body["hypervisor"]["service"]["host"] == listed[0]["service"]["host"]
    assert cloud.demo.ask("GET", "/os-hypervisors").status == 403
    cloud.demo.ask("DELETE", f"/servers/{server}")
    cloud.demo.wait_gone(server)


@pytest.mark.parametrize("version", ["2.1", "2.74", "2.75", "2.104"])
def test_limits_as_stock_clients_ask_for_them(cloud: Bench, version: str) -> None:
    for query in ("reserved=1", "reserved=False&tenant_id=demo"):
        assert cloud.admin.ask("GET", f"/limits?{query}", version=version).status == 200
    code = 200 if version in ("2.1", "2.74") else 400
    assert cloud.admin.ask("GET", "/limits?foo=1", version=version).status == code
