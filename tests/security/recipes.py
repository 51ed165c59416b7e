"""How each operation is asked so that only the caller's rights decide: values for its path, a body, a target.

An operation without a recipe fails the matrix: whoever adds one says here how it is asked.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from nova.api.wsgi.operation import Operation
from tests.support.cloud import Bench, User
from tests.support.microversions import NEWEST

CANARY = "demo-canary"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ5MBGyFXAi2CP9jWjbB1mKCgE3cEYzMjBDEcYzfLRCa me@home"
NOBODY = "00000000-0000-0000-0000-00000000dead"

_NUMBERS = itertools.count(1)
_META = {"metadata": {CANARY: CANARY}}


class Targets:
    """Things of the project ``demo`` (and of the cloud); one that was spoiled is made anew."""

    def __init__(self, cloud: Bench) -> None:
        self._cloud = cloud
        self._made: dict[str, str] = {}
        self._pool: list[str] = []

    def number(self) -> int:
        """Return a number that was not used before."""
        return next(_NUMBERS)

    def get(self, kind: str) -> str:
        """Return the id of a thing of a kind."""
        if kind not in self._made:
            maker: Callable[[], str] = getattr(self, f"_new_{kind}")
            self._made[kind] = maker()
        return self._made[kind]

    def spoil(self, *kinds: str) -> None:
        """Do not hand these out again."""
        for kind in kinds:
            self._made.pop(kind, None)

    def _new_server(self) -> str:
        if not self._pool:
            wish = {
                "name": CANARY,
                "imageRef": self._cloud.image,
                "flavorRef": "1",
                "networks": "auto",
                "min_count": 25,
                "return_reservation_id": True,
                "metadata": {CANARY: CANARY},
                "tags": [CANARY],
            }
            answer = self._cloud.demo.ask("POST", "/servers", {"server": wish})
            query = f"/servers?reservation_id={answer.body['reservation_id']}"
            self._pool = [row["id"] for row in self._cloud.demo.ask("GET", query).body["servers"]]
            for server in self._pool:
                self._cloud.demo.wait(server, "ACTIVE")
        return self._pool.pop()

    def _new_flavor(self) -> str:
        name = f"flavor-{self.number()}"
        wish = {
            "name": name,
            "ram": 1,
            "vcpus": 1,
            "disk": 1,
            "id": name,
            "os-flavor-access:is_public": False,
        }
        ask = self._cloud.admin.ask
        assert ask("POST", "/flavors", {"flavor": wish}).status == 200
        ask("POST", f"/flavors/{name}/os-extra_specs", {"extra_specs": {"hw:cpu_policy": "shared"}})
        assert ask("POST", f"/flavors/{name}/action", {"addTenantAccess": {"tenant": "demo"}}).status == 200
        return name

    def _new_keypair(self) -> str:
        name = f"{CANARY}-{self.number()}"
        wish = {"keypair": {"name": name, "public_key": KEY, "type": "ssh"}}
        assert self._cloud.demo.ask("POST", "/os-keypairs", wish).status == 201
        return name

    def _new_group(self) -> str:
        wish = {"server_group": {"name": CANARY, "policy": "soft-affinity"}}
        return self._id(self._cloud.demo, "/os-server-groups", wish, "server_group")

    def _new_rules(self) -> str:
        wish = {"security_group": {"name": f"{CANARY}-{self.number()}", "description": CANARY}}
        return self._id(self._cloud.demo, "/os-security-groups", wish, "security_group", "2.1")

    def _new_rule(self) -> str:
        rule = {
            "parent_group_id": self.get("rules"),
            "ip_protocol": "tcp",
            "from_port": 1,
            "to_port": self.number(),
            "cidr": "192.0.2.0/24",
        }
        wish = {"security_group_rule": rule}
        return self._id(self._cloud.demo, "/os-security-group-rules", wish, "security_group_rule", "2.1")

    def _new_aggregate(self) -> str:
        wish = {"aggregate": {"name": f"zone-{self.number()}", "availability_zone": None}}
        return self._id(self._cloud.admin, "/os-aggregates", wish, "aggregate", "2.1")

    def _new_image(self) -> str:
        server = self.get("server")
        answer = self._cloud.demo.act(server, "createImage", {"name": CANARY, "metadata": {CANARY: CANARY}})
        assert answer.status == 202, answer
        self._cloud.demo.wait(server, "ACTIVE")
        return str(answer.body["image_id"])

    def _new_action(self) -> str:
        server = self.get("server")
        return str(
            self._cloud.demo.ask("GET", f"/servers/{server}/os-instance-actions").body["instanceActions"][0][
                "request_id"
            ]
        )

    def _new_service(self) -> str:
        return str(self._cloud.admin.ask("GET", "/os-services?binary=nova-compute").body["services"][0]["id"])

    def _new_hypervisor(self) -> str:
        return str(self._cloud.admin.ask("GET", "/os-hypervisors").body["hypervisors"][0]["id"])

    def _new_network(self) -> str:
        return str(self._cloud.demo.ask("GET", "/os-networks", version="2.1").body["networks"][0]["id"])

    def _new_token(self) -> str:
        wish = {"remote_console": {"protocol": "vnc", "type": "novnc"}}
        link = self._cloud.demo.ask("POST", f"/servers/{self.get('server')}/remote-consoles", wish)
        return str(link.body["remote_console"]["url"]).rpartition("%3D")[2]

    def _id(self, user: User, path: str, wish: dict[str, Any], key: str, version: str = NEWEST) -> str:
        answer = user.ask("POST", path, wish, version=version)
        assert answer.status in (200, 201), answer
        return str(answer.body[key]["id"])


_KINDS = {
    "flavors": "flavor",
    "flavor_access": "flavor",
    "flavors_extraspecs": "flavor",
    "keypairs": "keypair",
    "services": "service",
    "hypervisors": "hypervisor",
    "console_auth_tokens": "token",
    "aggregates": "aggregate",
    "server_groups": "group",
    "security_groups": "rules",
    "networks": "network",
    "tenant_networks": "network",
    "images": "image",
    "image_metadata": "image",
}
_OWN_KINDS = {"security_groups.rule.delete": "rule"}
"""Operations whose id is not of the kind of their module."""
_FIXED = {
    "ips.show": "private",
    "server_metadata.show": CANARY,
    "server_metadata.update": CANARY,
    "server_metadata.delete": CANARY,
    "server_tags.show": CANARY,
    "server_tags.update": CANARY,
    "server_tags.delete": CANARY,
    "flavors_extraspecs.show": "hw:cpu_policy",
    "image_metadata.show": CANARY,
    "flavors_extraspecs.update": "hw:cpu_policy",
    "flavors_extraspecs.delete": "hw:cpu_policy",
    "image_metadata.update": CANARY,
    "image_metadata.delete": CANARY,
    "hosts.show": "one",
    "hosts.update": "one",
    "hosts.reboot": "one",
    "hosts.shutdown": "one",
    "hosts.startup": "one",
    "simple_tenant_usage.show": "demo",
    "extension_info.show": "os-keypairs",
    "services.delete": NOBODY,
    "hypervisors.search": "one",
    "hypervisors.servers": "one",
    "quota_classes.show": "default",
    "quota_classes.update": "default",
} | {f"quota_sets.{verb}": "demo" for verb in ("show", "update", "delete", "detail", "defaults")}


_QUERIES = {"simple_tenant_usage": "?start=2000-01-01T00:00:00"}


def recipe_name(operation: Operation) -> str:
    """Return whose recipe serves: os-volumes_boot is another path to the servers."""
    group, _, deed = operation.name.partition(".")
    return f"servers.{deed}" if group == "volumes_boot" else operation.name


def kind_of(operation: Operation) -> str | None:
    """Return the kind of thing an operation is about, if it is about one."""
    if operation.path.startswith(("/servers/", "/os-volumes_boot/")):
        return "server"
    return _OWN_KINDS.get(operation.name) or _KINDS.get(operation.name.partition(".")[0])


def path_of(operation: Operation, targets: Targets) -> str:
    """Return the path with everything in place."""
    path = operation.path
    for name in operation.variables:
        last = path.index("{" + name + "}") == path.rindex("{")
        if operation.name in _FIXED and last:
            value = _FIXED[operation.name]
        elif operation.name == "instance_actions.show" and last:
            value = targets.get("action")
        else:
            kind = kind_of(operation)
            assert kind is not None, f"{operation.name} has no recipe for its path: tests/security/recipes.py"
            value = targets.get(kind)
        path = path.replace("{" + name + "}", value)
    return path + _QUERIES.get(operation.name.partition(".")[0], "")


def body_of(operation: Operation, targets: Targets, image: str) -> Any:
    """Return a body that is right."""
    if operation.method not in ("POST", "PUT"):
        return None
    bodies: dict[str, Callable[[], Any]] = {
        "servers.create": lambda: {
            "server": {"name": "x", "imageRef": image, "flavorRef": "1", "networks": "none"}
        },
        "servers.update": lambda: {"server": {"description": CANARY}},
        "servers.reboot": lambda: {"reboot": {"type": "HARD"}},
        "admin_actions.os-resetState": lambda: {"os-resetState": {"state": "active"}},
        "servers.createImage": lambda: {"createImage": {"name": CANARY}},
        "console_output.os-getConsoleOutput": lambda: {"os-getConsoleOutput": {}},
        "remote_consoles.create": lambda: {"remote_console": {"protocol": "vnc", "type": "novnc"}},
        "remote_consoles.os-getVNCConsole": lambda: {"os-getVNCConsole": {"type": "novnc"}},
        "remote_consoles.os-getSPICEConsole": lambda: {"os-getSPICEConsole": {"type": "spice-html5"}},
        "remote_consoles.os-getSerialConsole": lambda: {"os-getSerialConsole": {"type": "serial"}},
        "remote_consoles.os-getRDPConsole": lambda: {"os-getRDPConsole": {"type": "rdp-html5"}},
        "security_groups.addSecurityGroup": lambda: {"addSecurityGroup": {"name": "default"}},
        "security_groups.removeSecurityGroup": lambda: {"removeSecurityGroup": {"name": "default"}},
        "server_metadata.create": lambda: _META,
        "server_metadata.update_all": lambda: _META,
        "server_metadata.update": lambda: {"meta": {CANARY: CANARY}},
        "server_tags.update_all": lambda: {"tags": [CANARY]},
        "server_tags.update": lambda: None,
        "flavors.create": lambda: {
            "flavor": {"name": f"n{targets.number()}", "ram": 1, "vcpus": 1, "disk": 1}
        },
        "flavors.update": lambda: {"flavor": {"description": "x"}},
        "flavor_access.addTenantAccess": lambda: {"addTenantAccess": {"tenant": f"p{targets.number()}"}},
        "flavor_access.removeTenantAccess": lambda: {"removeTenantAccess": {"tenant": "demo"}},
        "flavors_extraspecs.create": lambda: {"extra_specs": {"hw:cpu_policy": "shared"}},
        "flavors_extraspecs.update": lambda: {"hw:cpu_policy": "shared"},
        "keypairs.create": lambda: {
            "keypair": {"name": f"k{targets.number()}", "public_key": KEY, "type": "ssh"}
        },
        "services.update": lambda: {"status": "enabled"},
        "hosts.update": lambda: {"status": "enable"},
        "quota_sets.update": lambda: {"quota_set": {"server_groups": 1000}},
        "quota_classes.update": lambda: {"quota_class_set": {"server_groups": 1000}},
        "aggregates.create": lambda: {"aggregate": {"name": f"a{targets.number()}"}},
        "aggregates.update": lambda: {"aggregate": {"name": f"a{targets.number()}"}},
        "aggregates.add_host": lambda: {"add_host": {"host": "one"}},
        "aggregates.remove_host": lambda: {"remove_host": {"host": "one"}},
        "aggregates.set_metadata": lambda: {"set_metadata": {"metadata": {"k": "v"}}},
        "server_groups.create": lambda: {"server_group": {"name": "g", "policy": "soft-affinity"}},
        "security_groups.create": lambda: {
            "security_group": {"name": f"g{targets.number()}", "description": ""}
        },
        "security_groups.update": lambda: {
            "security_group": {"name": f"g{targets.number()}", "description": ""}
        },
        "security_groups.rule.create": lambda: {
            "security_group_rule": {
                "parent_group_id": targets.get("rules"),
                "ip_protocol": "udp",
                "from_port": 1,
                "to_port": 1000 + targets.number(),
                "cidr": "192.0.2.0/24",
            }
        },
        "aggregates.images": lambda: {"cache": [{"id": image}]},
        "image_metadata.create": lambda: _META,
        "image_metadata.update_all": lambda: _META,
        "image_metadata.update": lambda: {"meta": {CANARY: CANARY}},
    }
    if recipe_name(operation) in bodies:
        return bodies[recipe_name(operation)]()
    assert operation.action is not None, (
        f"no recipe for the body of {operation.name}: tests/security/recipes.py"
    )
    return {operation.action: None}
