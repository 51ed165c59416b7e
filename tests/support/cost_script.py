"""Every operation of the Compute API once, in an order in which each finds what it needs.

The steps are data; ``{name}`` in a path or a body stands for something an earlier step's answer gave.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

Json = Any
GONE = "gone"


class Step(NamedTuple):
    """One request, and what to wait for before its costs are read."""

    name: str
    method: str
    path: str
    body: Json = None
    until: tuple[str, str] | None = None
    """A server (by its name in the script) and the vm_state it ends in, ``gone`` for deleted."""
    keep: dict[str, Callable[[Json], str]] = {}
    """Names for parts of the answer."""
    version: str | None = None
    title: str = ""


def _act(name: str, server: str, argument: Json = None, until: str | None = "active", **more: Any) -> Step:
    action = name.rpartition(".")[2]
    body = {action: argument}
    wait = (server, until) if until else None
    return Step(name, "POST", f"/servers/{{{server}}}/action", body, wait, **more)


def _boot(key: str, title: str, until: str = "active", **wish: Any) -> Step:
    server = {"name": key, "imageRef": "{image}", "flavorRef": "1", "networks": "none", **wish}
    body = {"server": server}
    keep = {key: lambda answer: answer["server"]["id"]}
    return Step("servers.create", "POST", "/servers", body, (key, until), keep, title=title)


def _crud(prefix: str, path: str, body: Json, keep: str) -> list[Step]:
    return [
        Step(f"{prefix}.create", "POST", path, {keep: body}, keep={keep: lambda a: str(a[keep]["id"])}),
        Step(f"{prefix}.index", "GET", path),
        Step(f"{prefix}.show", "GET", f"{path}/{{{keep}}}"),
    ]


def _first(key: str, field: str = "id") -> Callable[[Json], str]:
    return lambda answer: str(answer[key][0][field])


SERVERS: tuple[Step, ...] = (
    _boot("web", "one, without a network"),
    _boot("wired", "one, on a network", networks="auto"),
    _boot("many", "ten at once, without a network", min_count=10, max_count=10),
    Step("servers.index", "GET", "/servers?limit=5"),
    Step("servers.detail", "GET", "/servers/detail?limit=5"),
    Step("servers.detail", "GET", "/servers/detail?limit=1&marker={web}&status=ACTIVE", title="next page"),
    Step("servers.detail", "GET", "/servers/detail?name=^w&sort_key=display_name", title="filtered, sorted"),
    Step("servers.detail", "GET", "/servers/detail?all_tenants=1&limit=5", title="of all projects"),
    Step("servers.show", "GET", "/servers/{web}"),
    Step("servers.update", "PUT", "/servers/{web}", {"server": {"name": "shop"}}),
    Step("ips.index", "GET", "/servers/{wired}/ips"),
    Step("ips.show", "GET", "/servers/{wired}/ips/private"),
    Step(
        "attach_interfaces.index",
        "GET",
        "/servers/{wired}/os-interface",
        keep={"port": _first("interfaceAttachments", "port_id")},
    ),
    Step("attach_interfaces.show", "GET", "/servers/{wired}/os-interface/{port}"),
    Step("volume_attachments.index", "GET", "/servers/{web}/os-volume_attachments"),
    Step("server_topology.index", "GET", "/servers/{web}/topology"),
    Step("server_password.index", "GET", "/servers/{web}/os-server-password"),
    Step("server_password.clear", "DELETE", "/servers/{web}/os-server-password"),
    Step("server_metadata.create", "POST", "/servers/{web}/metadata", {"metadata": {"a": "1"}}),
    Step("server_metadata.index", "GET", "/servers/{web}/metadata"),
    Step("server_metadata.update_all", "PUT", "/servers/{web}/metadata", {"metadata": {"b": "2"}}),
    Step("server_metadata.update", "PUT", "/servers/{web}/metadata/b", {"meta": {"b": "3"}}),
    Step("server_metadata.show", "GET", "/servers/{web}/metadata/b"),
    Step("server_metadata.delete", "DELETE", "/servers/{web}/metadata/b"),
    Step("server_tags.update_all", "PUT", "/servers/{web}/tags", {"tags": ["x", "y"]}),
    Step("server_tags.index", "GET", "/servers/{web}/tags"),
    Step("server_tags.show", "GET", "/servers/{web}/tags/x"),
    Step("server_tags.update", "PUT", "/servers/{web}/tags/z"),
    Step("server_tags.delete", "DELETE", "/servers/{web}/tags/z"),
    Step("server_tags.delete_all", "DELETE", "/servers/{web}/tags"),
    _act("servers.os-stop", "web", until="stopped"),
    _act("servers.os-start", "web"),
    _act("pause_server.pause", "web", until="paused"),
    _act("pause_server.unpause", "web"),
    _act("suspend_server.suspend", "web", until="suspended"),
    _act("suspend_server.resume", "web"),
    _act("servers.reboot", "web", {"type": "SOFT"}),
    _act("lock_server.lock", "web", {"locked_reason": "why not"}),
    _act("lock_server.unlock", "web"),
    _act("admin_actions.os-resetState", "web", {"state": "active"}),
    _act("admin_actions.injectNetworkInfo", "web"),
    _act("servers.createImage", "web", {"name": "copy"}),
    _act("console_output.os-getConsoleOutput", "web", {"length": 5}),
    Step(
        "remote_consoles.create",
        "POST",
        "/servers/{web}/remote-consoles",
        {"remote_console": {"protocol": "vnc", "type": "novnc"}},
        keep={"token": lambda a: str(a["remote_console"]["url"]).rpartition("token%3D")[2]},
    ),
    Step("console_auth_tokens.show", "GET", "/os-console-auth-tokens/{token}"),
    _act("remote_consoles.os-getVNCConsole", "web", {"type": "novnc"}, version="2.1"),
    Step("server_diagnostics.index", "GET", "/servers/{web}/diagnostics"),
    Step(
        "instance_actions.index",
        "GET",
        "/servers/{web}/os-instance-actions",
        keep={"request": _first("instanceActions", "request_id")},
    ),
    Step("instance_actions.show", "GET", "/servers/{web}/os-instance-actions/{request}"),
    Step("security_groups.server.index", "GET", "/servers/{web}/os-security-groups"),
    Step("servers.delete", "DELETE", "/servers/{web}", until=("web", GONE)),
    Step("servers.delete", "DELETE", "/servers/{wired}", until=("wired", GONE), title="on a network"),
    _boot("brief", "one more", until="active"),
    _act("deferred_delete.forceDelete", "brief", until=GONE),
)

_SG = {"security_group": {"name": "doors", "description": "which are open"}}
_RULE = {"ip_protocol": "tcp", "from_port": 22, "to_port": 22, "cidr": "0.0.0.0/0"}
_OLD = "2.35"

CATALOGUE: tuple[Step, ...] = (
    Step("flavors.index", "GET", "/flavors"),
    Step("flavors.detail", "GET", "/flavors/detail"),
    Step(
        "flavors.create",
        "POST",
        "/flavors",
        {"flavor": {"name": "m", "ram": 64, "vcpus": 1, "disk": 1, "os-flavor-access:is_public": False}},
        keep={"flavor": lambda a: str(a["flavor"]["id"])},
    ),
    Step("flavors.show", "GET", "/flavors/{flavor}"),
    Step("flavors.update", "PUT", "/flavors/{flavor}", {"flavor": {"description": "small"}}),
    Step(
        "flavor_access.addTenantAccess",
        "POST",
        "/flavors/{flavor}/action",
        {"addTenantAccess": {"tenant": "demo"}},
    ),
    Step("flavor_access.index", "GET", "/flavors/{flavor}/os-flavor-access"),
    Step(
        "flavor_access.removeTenantAccess",
        "POST",
        "/flavors/{flavor}/action",
        {"removeTenantAccess": {"tenant": "demo"}},
    ),
    Step(
        "flavors_extraspecs.create",
        "POST",
        "/flavors/{flavor}/os-extra_specs",
        {"extra_specs": {"hw:cpu_policy": "shared"}},
    ),
    Step("flavors_extraspecs.index", "GET", "/flavors/{flavor}/os-extra_specs"),
    Step("flavors_extraspecs.show", "GET", "/flavors/{flavor}/os-extra_specs/hw:cpu_policy"),
    Step(
        "flavors_extraspecs.update",
        "PUT",
        "/flavors/{flavor}/os-extra_specs/hw:cpu_policy",
        {"hw:cpu_policy": "dedicated"},
    ),
    Step("flavors_extraspecs.delete", "DELETE", "/flavors/{flavor}/os-extra_specs/hw:cpu_policy"),
    Step("flavors.delete", "DELETE", "/flavors/{flavor}"),
    Step("keypairs.create", "POST", "/os-keypairs", {"keypair": {"name": "k"}}, version="2.91"),
    Step("keypairs.index", "GET", "/os-keypairs"),
    Step("keypairs.show", "GET", "/os-keypairs/k"),
    Step("keypairs.delete", "DELETE", "/os-keypairs/k"),
    Step("limits.index", "GET", "/limits"),
    Step("simple_tenant_usage.index", "GET", "/os-simple-tenant-usage?start=2020-01-01T00:00:00"),
    Step("simple_tenant_usage.show", "GET", "/os-simple-tenant-usage/admin?start=2020-01-01T00:00:00"),
    Step("quota_sets.show", "GET", "/os-quota-sets/demo"),
    Step("quota_sets.detail", "GET", "/os-quota-sets/demo/detail"),
    Step("quota_sets.defaults", "GET", "/os-quota-sets/demo/defaults"),
    Step("quota_sets.update", "PUT", "/os-quota-sets/demo", {"quota_set": {"cores": 50}}),
    Step("quota_sets.delete", "DELETE", "/os-quota-sets/demo"),
    Step("quota_classes.show", "GET", "/os-quota-class-sets/default"),
    Step(
        "quota_classes.update",
        "PUT",
        "/os-quota-class-sets/default",
        {"quota_class_set": {"key_pairs": 90}},
    ),
    *_crud("server_groups", "/os-server-groups", {"name": "g", "policy": "anti-affinity"}, "server_group"),
    Step("server_groups.delete", "DELETE", "/os-server-groups/{server_group}"),
    Step(
        "security_groups.create",
        "POST",
        "/os-security-groups",
        _SG,
        keep={"group": lambda a: str(a["security_group"]["id"])},
        version=_OLD,
    ),
    Step("security_groups.index", "GET", "/os-security-groups", version=_OLD),
    Step("security_groups.show", "GET", "/os-security-groups/{group}", version=_OLD),
    Step("security_groups.update", "PUT", "/os-security-groups/{group}", _SG, version=_OLD),
    _act("security_groups.addSecurityGroup", "many", {"name": "doors"}),
    Step(
        "security_groups.rule.create",
        "POST",
        "/os-security-group-rules",
        {"security_group_rule": {"parent_group_id": "{group}", **_RULE}},
        keep={"rule": lambda a: str(a["security_group_rule"]["id"])},
        version=_OLD,
    ),
    Step("security_groups.rule.delete", "DELETE", "/os-security-group-rules/{rule}", version=_OLD),
    _act("security_groups.removeSecurityGroup", "many", {"name": "doors"}),
    Step("security_groups.delete", "DELETE", "/os-security-groups/{group}", version=_OLD),
    Step("networks.index", "GET", "/os-networks", version=_OLD, keep={"network": _first("networks")}),
    Step("networks.show", "GET", "/os-networks/{network}", version=_OLD),
    Step("tenant_networks.index", "GET", "/os-tenant-networks", version=_OLD),
    Step("tenant_networks.show", "GET", "/os-tenant-networks/{network}", version=_OLD),
    Step("images.index", "GET", "/images", version=_OLD),
    Step("images.detail", "GET", "/images/detail", version=_OLD),
    Step("images.show", "GET", "/images/{image}", version=_OLD),
    Step("image_metadata.index", "GET", "/images/{image}/metadata", version=_OLD),
    Step("extension_info.index", "GET", "/extensions"),
    Step("extension_info.show", "GET", "/extensions/os-keypairs"),
)

OPERATORS: tuple[Step, ...] = (
    Step("availability_zone.index", "GET", "/os-availability-zone"),
    Step("availability_zone.detail", "GET", "/os-availability-zone/detail"),
    Step(
        "services.index",
        "GET",
        "/os-services?binary=nova-compute",
        keep={"service": _first("services"), "host": _first("services", "host")},
    ),
    Step("services.update", "PUT", "/os-services/{service}", {"status": "enabled"}),
    Step("hypervisors.index", "GET", "/os-hypervisors"),
    Step("hypervisors.detail", "GET", "/os-hypervisors/detail", keep={"node": _first("hypervisors")}),
    Step("hypervisors.show", "GET", "/os-hypervisors/{node}"),
    Step("hypervisors.statistics", "GET", "/os-hypervisors/statistics", version="2.87"),
    Step("hypervisors.search", "GET", "/os-hypervisors/{host}/search", version="2.52"),
    Step("hypervisors.servers", "GET", "/os-hypervisors/{host}/servers", version="2.52"),
    Step("hosts.index", "GET", "/os-hosts", version="2.42"),
    Step("hosts.show", "GET", "/os-hosts/{host}", version="2.42"),
    Step("hosts.update", "PUT", "/os-hosts/{host}", {"status": "enable"}, version="2.42"),
    *_crud("aggregates", "/os-aggregates", {"name": "racks"}, "aggregate"),
    Step("aggregates.update", "PUT", "/os-aggregates/{aggregate}", {"aggregate": {"name": "halls"}}),
    Step(
        "aggregates.add_host", "POST", "/os-aggregates/{aggregate}/action", {"add_host": {"host": "{host}"}}
    ),
    Step("aggregates.images", "POST", "/os-aggregates/{aggregate}/images", {"cache": [{"id": "{image}"}]}),
    Step(
        "aggregates.set_metadata",
        "POST",
        "/os-aggregates/{aggregate}/action",
        {"set_metadata": {"metadata": {"ssd": "true"}}},
    ),
    Step(
        "aggregates.remove_host",
        "POST",
        "/os-aggregates/{aggregate}/action",
        {"remove_host": {"host": "{host}"}},
    ),
    Step("aggregates.delete", "DELETE", "/os-aggregates/{aggregate}"),
)

SCRIPT: tuple[Step, ...] = (*SERVERS, *CATALOGUE, *OPERATORS)
