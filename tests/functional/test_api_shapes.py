"""What every answer looks like at every microversion, against ``tests/golden/api``.

The golden files were compared with the public facts of the API when they were written; whoever changes one
compares again.
"""

from __future__ import annotations

import itertools
import pathlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from nova.api.compute import registry, versions
from nova.api.wsgi.editions import Editions
from nova.api.wsgi.version import Version
from tests.support.borders import GoldenBorders, lines_of
from tests.support.cloud import Bench, User, eventually, running_cloud
from tests.support.microversions import EVERY, NEWEST

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ5MBGyFXAi2CP9jWjbB1mKCgE3cEYzMjBDEcYzfLRCa me@home"
HISTORY = versions.history()
OPERATIONS = {operation.name: operation for operation in registry.operations()}
EDITIONS = Editions(OPERATIONS.values(), HISTORY)
FILE = GoldenBorders("answers")
COUNT = itertools.count()


class World(NamedTuple):
    """A cloud with a bit of everything, and the names of it all."""

    bench: Bench
    names: dict[str, str]

    def user(self, who: str) -> User:
        return {"admin": self.bench.admin, "demo": self.bench.demo}[who]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    home: pathlib.Path = tmp_path_factory.mktemp("cloud")
    with running_cloud(home, hosts=1) as bench:
        yield World(bench, furnish(bench))


def made(user: User, path: str, body: Any, version: str = NEWEST) -> Any:
    """Make something; return what is below the top key of the answer."""
    answer = user.ask("POST", path, body, version=version)
    assert answer.status < 300, answer
    return next(iter(answer.body.values())) if answer.body else None


def furnish(bench: Bench) -> dict[str, str]:
    admin, demo = bench.admin, bench.demo
    for user in (admin, demo):
        made(user, "/os-keypairs", {"keypair": {"name": "key", "type": "ssh", "public_key": KEY}})
    private = {"name": "private", "id": "p", "ram": 64, "vcpus": 1, "disk": 1, "swap": 64}
    made(admin, "/flavors", {"flavor": private | {"os-flavor-access:is_public": False, "description": "d"}})
    made(admin, "/flavors/p/action", {"addTenantAccess": {"tenant": "demo"}})
    made(admin, "/flavors/p/os-extra_specs", {"extra_specs": {"hw:cpu_policy": "shared"}})
    aggregate = made(admin, "/os-aggregates", {"aggregate": {"name": "a", "availability_zone": "z"}})["id"]
    made(admin, f"/os-aggregates/{aggregate}/action", {"set_metadata": {"metadata": {"a": "b"}}})
    rules = {"name": "g", "policy": "anti-affinity", "rules": {"max_server_per_host": 2}}
    group = made(demo, "/os-server-groups", {"server_group": rules})["id"]
    ports = made(demo, "/os-security-groups", {"security_group": {"name": "web", "description": ""}}, "2.1")
    rule = {"parent_group_id": ports["id"], "ip_protocol": "tcp", "from_port": 22, "to_port": 22}
    made(demo, "/os-security-group-rules", {"security_group_rule": rule | {"cidr": "10.0.0.0/8"}}, "2.1")
    server = demo.boot(
        bench.image, "p", "rich", networks="auto", key_name="key", metadata={"a": "b"}, tags=["red"],
        description="d", accessIPv4="192.0.2.1", accessIPv6="fd00::1", config_drive=True, user_data="aGk=",
        security_groups=[{"name": "web"}],
    )  # fmt: skip
    demo.wait(server, "ACTIVE")
    demo.act(server, "lock", {"locked_reason": "why"})
    wish = {"name": "lost", "imageRef": bench.image, "flavorRef": "1", "networks": "none"}
    hints = {"group": group, "same_host": ["12345678-1234-4234-8234-123456789abc"]}
    lost = made(demo, "/servers", {"server": wish, "os:scheduler_hints": hints})["id"]
    demo.wait(lost, "ERROR")
    actions = demo.ask("GET", f"/servers/{server}/os-instance-actions").body["instanceActions"]
    names = {
        "server": server,
        "lost": lost,
        "aggregate": str(aggregate),
        "group": group,
        "image": bench.image,
    }
    names |= {"ports": ports["id"], "request": actions[-1]["request_id"]}
    names["port"] = demo.ask("GET", f"/servers/{server}/os-interface").body["interfaceAttachments"][0][
        "port_id"
    ]
    names["network"] = demo.ask("GET", "/os-networks", version="2.1").body["networks"][0]["id"]
    (host,) = admin.ask("GET", "/os-hypervisors").body["hypervisors"]
    (old,) = admin.ask("GET", "/os-hypervisors", version="2.1").body["hypervisors"]
    names |= {"hypervisor": host["id"], "number": str(old["id"]), "node": host["hypervisor_hostname"]}
    (service,) = admin.ask("GET", "/os-services?binary=nova-compute").body["services"]
    return names | {"service": service["id"], "host": service["host"]}


READS = (
    # Operation, who asks, path.
    ("servers.index", "demo", "/servers?limit=1"),
    ("servers.detail", "admin", "/servers/detail?all_tenants=1&limit=1&name=rich"),
    ("servers.detail", "demo", "/servers/detail?name=lost"),
    ("servers.show", "admin", "/servers/{server}"),
    ("servers.show", "demo", "/servers/{server}"),
    ("servers.show", "lost", "/servers/{lost}"),
    ("ips.index", "demo", "/servers/{server}/ips"),
    ("ips.show", "demo", "/servers/{server}/ips/private"),
    ("server_metadata.index", "demo", "/servers/{server}/metadata"),
    ("server_metadata.show", "demo", "/servers/{server}/metadata/a"),
    ("server_tags.index", "demo", "/servers/{server}/tags"),
    ("attach_interfaces.index", "demo", "/servers/{server}/os-interface"),
    ("attach_interfaces.show", "demo", "/servers/{server}/os-interface/{port}"),
    ("volume_attachments.index", "demo", "/servers/{server}/os-volume_attachments"),
    ("server_password.index", "demo", "/servers/{server}/os-server-password"),
    ("server_topology.index", "demo", "/servers/{server}/topology"),
    ("security_groups.server.index", "demo", "/servers/{server}/os-security-groups"),
    ("instance_actions.index", "demo", "/servers/{server}/os-instance-actions"),
    ("instance_actions.show", "admin", "/servers/{server}/os-instance-actions/{request}"),
    ("instance_actions.show", "demo", "/servers/{server}/os-instance-actions/{request}"),
    ("server_diagnostics.index", "admin", "/servers/{server}/diagnostics"),
    ("flavors.index", "demo", "/flavors?limit=1"),
    ("flavors.detail", "demo", "/flavors/detail"),
    ("flavors.show", "admin", "/flavors/p"),
    ("flavors_extraspecs.index", "demo", "/flavors/p/os-extra_specs"),
    ("flavors_extraspecs.show", "demo", "/flavors/p/os-extra_specs/hw:cpu_policy"),
    ("flavor_access.index", "admin", "/flavors/p/os-flavor-access"),
    ("keypairs.index", "demo", "/os-keypairs"),
    ("keypairs.show", "demo", "/os-keypairs/key"),
    ("limits.index", "demo", "/limits"),
    ("quota_sets.show", "admin", "/os-quota-sets/demo"),
    ("quota_sets.defaults", "admin", "/os-quota-sets/demo/defaults"),
    ("quota_sets.detail", "admin", "/os-quota-sets/demo/detail"),
    ("quota_classes.show", "admin", "/os-quota-class-sets/default"),
    ("simple_tenant_usage.index", "admin", "/os-simple-tenant-usage?detailed=1&start=2020-01-01T00:00:00"),
    ("simple_tenant_usage.show", "admin", "/os-simple-tenant-usage/demo?start=2020-01-01T00:00:00"),
    ("availability_zone.index", "demo", "/os-availability-zone"),
    ("availability_zone.detail", "admin", "/os-availability-zone/detail"),
    ("services.index", "admin", "/os-services?binary=nova-compute"),
    ("hosts.index", "admin", "/os-hosts"),
    ("hosts.show", "admin", "/os-hosts/{host}"),
    ("hypervisors.index", "admin", "/os-hypervisors"),
    ("hypervisors.detail", "admin", "/os-hypervisors/detail"),
    ("hypervisors.show", "admin", "/os-hypervisors/{hypervisor}"),
    ("hypervisors.search", "admin", "/os-hypervisors/{node}/search"),
    ("hypervisors.servers", "admin", "/os-hypervisors/{node}/servers"),
    ("hypervisors.statistics", "admin", "/os-hypervisors/statistics"),
    ("aggregates.index", "admin", "/os-aggregates"),
    ("aggregates.show", "admin", "/os-aggregates/{aggregate}"),
    ("server_groups.index", "demo", "/os-server-groups"),
    ("server_groups.show", "demo", "/os-server-groups/{group}"),
    ("security_groups.index", "demo", "/os-security-groups"),
    ("security_groups.show", "demo", "/os-security-groups/{ports}"),
    ("networks.index", "admin", "/os-networks"),
    ("networks.show", "demo", "/os-networks/{network}"),
    ("tenant_networks.index", "demo", "/os-tenant-networks"),
    ("images.index", "demo", "/images"),
    ("images.show", "demo", "/images/{image}"),
    ("image_metadata.index", "demo", "/images/{image}/metadata"),
    ("extension_info.show", "demo", "/extensions/os-keypairs"),
)


def living(operation: str) -> list[Version]:
    """Return the versions that have an operation."""
    return [v for v in EVERY if EDITIONS.alive(OPERATIONS[operation], v)]


def told(answer: Any) -> Iterator[str]:
    """Yield status, the headers that vary, and the places of the body."""
    yield f"status {answer.status}"
    if "location" in answer.headers:
        yield "header location"
    if answer.body is not None:
        yield from lines_of(answer.body)


@pytest.mark.parametrize(("operation", "who", "path"), READS, ids=lambda value: value.replace("/", "-"))
def test_reads(world: World, operation: str, who: str, path: str) -> None:
    user = world.user("demo" if who == "lost" else who)

    def ask(version: Version) -> Iterator[str]:
        old = "{hypervisor}" in path and version < HISTORY.features["service_uuids"]
        asked = path.replace("{hypervisor}", "{number}") if old else path
        yield from told(user.ask("GET", asked.format(**world.names), version=str(version)))

    FILE.check(f"{operation} {who}", living(operation), ask)


def keypair(version: Version, number: int) -> Any:
    body = {"name": f"k{number}", "public_key": KEY}
    return {"keypair": body | ({"type": "ssh"} if version >= Version(2, 2) else {})}


def flavor(version: Version, number: int) -> Any:
    del version
    return {"flavor": {"name": f"f{number}", "id": f"f{number}", "ram": 1, "vcpus": 1, "disk": 1}}


def server_group(version: Version, number: int) -> Any:
    policy: Any = {"policy": "affinity"} if version >= Version(2, 64) else {"policies": ["affinity"]}
    return {"server_group": {"name": f"g{number}"} | policy}


def server(version: Version, number: int) -> Any:
    networks = {"networks": "none"} if version >= Version(2, 37) else {}
    return {"server": {"name": f"n{number}", "imageRef": "{image}", "flavorRef": "1"} | networks}


def reservation(version: Version, number: int) -> Any:
    body = server(version, number)
    body["server"] |= {"return_reservation_id": True, "min_count": "1", "max_count": 2}
    return body


def service(version: Version, number: int) -> Any:
    del number
    if version >= HISTORY.features["service_uuids"]:
        return {"status": "enabled"}
    return {"host": "{host}", "binary": "nova-compute"}


def same(body: Any) -> Callable[[Version, int], Any]:
    return lambda version, number: body


WRITES = (
    # Operation, who, method, path, body at a version, path of what to take away again.
    ("keypairs.create", "demo", "POST", "/os-keypairs", keypair, "/os-keypairs/k{n}"),
    ("flavors.create", "admin", "POST", "/flavors", flavor, "/flavors/f{n}"),
    ("flavors.update", "admin", "PUT", "/flavors/p", same({"flavor": {"description": "d"}}), ""),
    ("flavors_extraspecs.create", "admin", "POST", "/flavors/p/os-extra_specs",
     same({"extra_specs": {"hw:cpu_policy": "shared"}}), ""),
    ("server_groups.create", "demo", "POST", "/os-server-groups", server_group, "/os-server-groups/{id}"),
    ("aggregates.create", "admin", "POST", "/os-aggregates",
     lambda v, n: {"aggregate": {"name": f"a{n}"}}, "/os-aggregates/{id}"),
    ("aggregates.set_metadata", "admin", "POST", "/os-aggregates/{aggregate}/action",
     same({"set_metadata": {"metadata": {"a": "b"}}}), ""),
    ("quota_sets.update", "admin", "PUT", "/os-quota-sets/demo", same({"quota_set": {"instances": 900}}), ""),
    ("quota_classes.update", "admin", "PUT", "/os-quota-class-sets/default",
     same({"quota_class_set": {"instances": 1000}}), ""),
    ("services.update", "admin", "PUT", "/os-services/{service}", service, ""),
    ("server_metadata.update_all", "admin", "PUT", "/servers/{server}/metadata",
     same({"metadata": {"a": "b"}}), ""),
    ("servers.update", "admin", "PUT", "/servers/{server}", same({"server": {"name": "rich"}}), ""),
    ("servers.update", "demo", "PUT", "/servers/{server}", same({"server": {"name": "rich"}}), ""),
    ("servers.create", "demo", "POST", "/servers", server, "/servers/{id}"),
    ("servers.create", "reservation", "POST", "/servers", reservation, ""),
    ("remote_consoles.create", "admin", "POST", "/servers/{server}/remote-consoles",
     same({"remote_console": {"protocol": "vnc", "type": "novnc"}}), ""),
    ("remote_consoles.os-getVNCConsole", "admin", "POST", "/servers/{server}/action",
     same({"os-getVNCConsole": {"type": "novnc"}}), ""),
    ("console_output.os-getConsoleOutput", "admin", "POST", "/servers/{server}/action",
     same({"os-getConsoleOutput": {}}), ""),
)  # fmt: skip


def filled(value: Any, names: dict[str, str]) -> Any:
    """Put names into the texts of a body."""
    if isinstance(value, dict):
        return {key: filled(below, names) for key, below in value.items()}
    return value.format(**names) if isinstance(value, str) and value.startswith("{") else value


@pytest.mark.parametrize(
    ("operation", "who", "method", "path", "body", "gone"), WRITES, ids=lambda value: str(value)[:30]
)
def test_writes(world: World, operation: str, who: str, method: str, path: str, body: Any, gone: str) -> None:
    user = world.user("demo" if who == "reservation" else who)

    def ask(version: Version) -> Iterator[str]:
        number = next(COUNT)
        old = "{service}" in path and version < HISTORY.features["service_uuids"]
        asked = path.replace("{service}", "enable") if old else path
        wish = filled(body(version, number), world.names)
        answer = user.ask(method, asked.format(**world.names), wish, version=str(version))
        yield from told(answer)
        if gone:
            assert answer.status < 300, answer
            (thing,) = answer.body.values()
            taken = user.ask("DELETE", gone.format(id=thing.get("id"), n=number))
            assert taken.status < 300, taken

    FILE.check(f"{operation} {who}", living(operation), ask)
    if operation == "servers.create":
        sweep(user)


def sweep(user: User) -> None:
    """Take the servers of a test away again."""

    def none_left() -> bool:
        found = user.ask("GET", "/servers?name=^n[0-9]").body["servers"]
        for one in found:
            user.ask("DELETE", f"/servers/{one['id']}")
        return not found

    eventually(none_left, timeout_s=60)


def test_the_file_has_nothing_else() -> None:
    rows = {f"{row[0]} {row[1]}" for row in (*READS, *WRITES)}
    assert FILE.names == rows
