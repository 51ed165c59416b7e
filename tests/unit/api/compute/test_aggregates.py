"""Aggregates, security groups, networks and extensions."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from nova.errors import NotFound
from nova.objects.host import Aggregate
from nova.objects.network import Network, SecurityGroup
from tests.unit.api.compute.site import ADMIN, USER, site
from tests.unit.api.wsgi.conftest import Caller

GROUP = "00000000-0000-4000-8000-000000000001"
SOURCE = "00000000-0000-4000-8000-000000000002"


class Cloud:
    """Keeps aggregates, security groups and networks as the conductor would."""

    def __init__(self) -> None:
        self.aggregates: dict[int, Aggregate] = {}
        self.groups = {GROUP: SecurityGroup(id=GROUP, name="default", project_id="aaaa1111")}
        self.networks = [
            Network(id=SOURCE, label="net", cidr="10.0.0.0/24", gateway="10.0.0.1", dns=("8.8.8.8",), vlan=7)
        ]

    def list_aggregates(self, ctx):
        return list(self.aggregates.values())

    def show_aggregate(self, ctx, aggregate):
        if aggregate not in self.aggregates:
            raise NotFound(what="Aggregate", id=aggregate)
        return self.aggregates[aggregate]

    def create_aggregate(self, ctx, name, zone):
        number = len(self.aggregates) + 1
        metadata = {"availability_zone": zone} if zone else {}
        self.aggregates[number] = Aggregate(id=number, uuid=GROUP, name=name, metadata=metadata)
        return self.aggregates[number]

    def _change(self, aggregate, **values):
        self.aggregates[aggregate] = msgspec.structs.replace(self.show_aggregate(None, aggregate), **values)
        return self.aggregates[aggregate]

    def update_aggregate(self, ctx, aggregate, name, zone):
        known = self.show_aggregate(ctx, aggregate)
        metadata = {**known.metadata, "availability_zone": zone} if zone else known.metadata
        return self._change(aggregate, name=name or known.name, metadata=metadata)

    def delete_aggregate(self, ctx, aggregate):
        del self.aggregates[self.show_aggregate(ctx, aggregate).id]

    def add_aggregate_host(self, ctx, aggregate, host):
        return self._change(aggregate, hosts=(*self.show_aggregate(ctx, aggregate).hosts, host))

    def remove_aggregate_host(self, ctx, aggregate, host):
        hosts = self.show_aggregate(ctx, aggregate).hosts
        return self._change(aggregate, hosts=tuple(one for one in hosts if one != host))

    def put_aggregate_metadata(self, ctx, aggregate, items):
        merged = {**self.show_aggregate(ctx, aggregate).metadata, **items}
        return self._change(aggregate, metadata={k: v for k, v in merged.items() if v is not None})

    def cache_images(self, ctx, aggregate, images):
        self.show_aggregate(ctx, aggregate)
        self.cached = images

    def list_security_groups(self, ctx, all_projects):
        return [g for g in self.groups.values() if all_projects or g.project_id == ctx.project_id]

    def show_security_group(self, ctx, group):
        if group not in self.groups:
            raise NotFound(what="Security group", id=group)
        return self.groups[group]

    def create_security_group(self, ctx, name, description):
        return SecurityGroup(id=SOURCE, name=name, description=description, project_id=ctx.project_id)

    def update_security_group(self, ctx, group, name, description):
        known = self.show_security_group(ctx, group)
        self.groups[group] = msgspec.structs.replace(known, name=name, description=description)
        return self.groups[group]

    def delete_security_group(self, ctx, group):
        del self.groups[self.show_security_group(ctx, group).id]

    def add_security_rule(self, ctx, group, rule):
        known = self.show_security_group(ctx, group)
        self.groups[group] = msgspec.structs.replace(known, rules=(*known.rules, rule))
        return rule

    def delete_security_rule(self, ctx, rule):
        for group in self.groups.values():
            rules = tuple(one for one in group.rules if one.id != rule)
            self.groups[group.id] = msgspec.structs.replace(group, rules=rules)

    def list_networks(self, ctx):
        return self.networks

    def show_network(self, ctx, network):
        for known in self.networks:
            if known.id == network:
                return known
        raise NotFound(what="Network", id=network)


@pytest.fixture
def call() -> Caller:
    return site(Cloud())


def test_an_aggregate_from_start_to_end(call: Caller) -> None:
    def ask(method: str, path: str = "/1", body: Any = None, code: int = 200, version: str = "2.1") -> Any:
        answer = call(method, f"/v2.1/os-aggregates{path}", body, user=ADMIN, version=version)
        assert answer.status_int == code
        return answer.json["aggregate"] if answer.body and code == 200 else None

    made = ask("POST", "", {"aggregate": {"name": "racks", "availability_zone": "east"}}, version="2.41")
    assert (made["id"], made["uuid"], made["availability_zone"]) == (1, GROUP, "east")
    assert not {"hosts", "metadata"} & set(made)
    assert ask("POST", "/1/action", {"add_host": {"host": "alpha"}})["hosts"] == ["alpha"]
    shown = ask("GET")
    assert shown["metadata"] == {"availability_zone": "east"}
    assert "uuid" not in shown
    body = {"set_metadata": {"metadata": {"ssd": "yes", "availability_zone": None}}}
    assert ask("POST", "/1/action", body)["metadata"] == {"ssd": "yes"}
    changed = ask("PUT", "/1", {"aggregate": {"name": "new", "availability_zone": "west"}})
    assert (changed["name"], changed["availability_zone"]) == ("new", "west")
    changed = ask("PUT", "/1", {"aggregate": {"availability_zone": None}})
    assert (changed["name"], changed["availability_zone"]) == ("new", None)
    assert ask("POST", "/1/action", {"remove_host": {"host": "alpha"}})["hosts"] == []
    ask("PUT", "/1", {"aggregate": {}}, code=400)
    ask("GET", "/x", code=400)
    ask("GET", "/2", code=404)
    ask("DELETE")
    ask("GET", code=404)
    assert call("GET", "/v2.1/os-aggregates", user=ADMIN).json == {"aggregates": []}
    assert call("GET", "/v2.1/os-aggregates").status_int == 403


def test_images_for_an_aggregate(call: Caller) -> None:
    one = "12345678-1234-4234-8234-123456789abc"
    call("POST", "/v2.1/os-aggregates", {"aggregate": {"name": "a"}}, user=ADMIN)

    def ask(*images: str, path: str = "1", version: str = "2.81", user: str = ADMIN) -> int:
        body = {"cache": [{"id": image} for image in images]}
        return call("POST", f"/v2.1/os-aggregates/{path}/images", body, version=version, user=user).status_int

    assert ask(one.upper(), one[:-1] + "d") == 202
    assert call.shelf.cached == [one, one[:-1] + "d"]
    assert ask(one, one) == ask(one, one.upper()) == 400, "each once"
    assert ask() == ask("no-uuid") == 400
    assert ask(one, path="7") == 404
    assert ask(one, version="2.80") == 404
    assert ask(one, user=USER) == 403


def test_security_groups(call: Caller) -> None:
    path = "/v2.1/os-security-groups"
    rows = call("GET", path).json["security_groups"]
    assert rows == [{"id": GROUP, "name": "default", "description": "", "tenant_id": "aaaa1111", "rules": []}]
    body = {"security_group": {"name": " web ", "description": "d"}}
    assert call("POST", path, body).json["security_group"]["name"] == "web"
    assert call("PUT", f"{path}/{GROUP}", body).json["security_group"]["name"] == "web"
    assert call("PUT", f"{path}/5", body).status_int == 400
    assert call("GET", f"{path}/{SOURCE}").status_int == 404
    assert call("DELETE", f"{path}/{GROUP}").status_int == 202
    assert call("GET", path, version="2.36").status_int == 404


def rule(**more: Any) -> dict[str, Any]:
    wish = {"parent_group_id": GROUP, "ip_protocol": "TCP", "from_port": "22", "to_port": 22, **more}
    return {"security_group_rule": wish}


def test_security_rules(call: Caller) -> None:
    path = "/v2.1/os-security-group-rules"
    made = call("POST", path, rule()).json["security_group_rule"]
    assert (made["ip_protocol"], made["from_port"], made["to_port"]) == ("tcp", 22, 22)
    assert (made["parent_group_id"], made["ip_range"], made["group"]) == (GROUP, {"cidr": "0.0.0.0/0"}, {})
    by_group = {"group_id": SOURCE, "ip_protocol": None, "from_port": None, "to_port": None}
    made = call("POST", path, rule(**by_group)).json["security_group_rule"]
    assert made["ip_range"] == {}
    shown = call("GET", f"/v2.1/os-security-groups/{GROUP}").json["security_group"]["rules"]
    assert len(shown) == 2
    assert call("DELETE", f"{path}/{made['id']}").status_int == 202
    assert len(call.shelf.groups[GROUP].rules) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"cidr": "10.0.0.0/99"},
        {"ip_protocol": "sctp"},
        {"ip_protocol": None},
        {"from_port": 23},
        {"to_port": 65536},
        {"from_port": "ssh"},
        {"to_port": None},
        {"ip_protocol": "icmp", "to_port": 256},
    ],
)
def test_rules_that_make_no_sense(call: Caller, wrong: dict[str, Any]) -> None:
    assert call("POST", "/v2.1/os-security-group-rules", rule(**wrong)).status_int == 400


def test_networks(call: Caller) -> None:
    shown = call("GET", f"/v2.1/os-networks/{SOURCE}", user=ADMIN).json["network"]
    assert (shown["netmask"], shown["broadcast"], shown["vlan"]) == ("255.255.255.0", "10.0.0.255", 7)
    assert (shown["dns1"], shown["dns2"], shown["netmask_v6"]) == ("8.8.8.8", None, None)
    assert "vlan" not in call("GET", "/v2.1/os-networks").json["networks"][0]
    short = {"id": SOURCE, "label": "net", "cidr": "10.0.0.0/24"}
    assert call("GET", "/v2.1/os-tenant-networks").json == {"networks": [short]}
    assert call("GET", f"/v2.1/os-tenant-networks/{SOURCE}").json == {"network": short}
    assert call("GET", "/v2.1/os-networks/x").status_int == 404
    assert call("GET", "/v2.1/os-networks", version="2.36").status_int == 404


def test_extensions(call: Caller) -> None:
    assert len(call("GET", "/v2.1/extensions").json["extensions"]) == 99
    assert len(call("GET", "/v2/extensions").json["extensions"]) == 100
    shown = call("GET", "/v2.1/extensions/os-keypairs").json["extension"]
    assert (shown["name"], shown["links"]) == ("Keypairs", [])
    assert call("GET", "/v2.1/extensions/os-none").status_int == 404
