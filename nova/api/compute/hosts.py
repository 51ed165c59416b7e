"""``/os-hosts`` (until 2.42): hosts by name; services and hypervisors took its place."""

from __future__ import annotations

from typing import Any, NamedTuple

from nova.api.wsgi.operation import Operation, Rule
from nova.api.wsgi.request import Request
from nova.api.wsgi.schema_parts import STRING, many, one_of_words, query
from nova.errors import Unsupported
from nova.errors.admin import ComputeHostNotFound
from nova.objects.flavor import Flavor
from nova.objects.host import Hypervisor, Service
from nova.objects.ids import HostName
from nova.objects.instance import Instance, InstanceQuery
from nova.objects.page import Page
from nova.policy import ADMIN

Json = dict[str, Any]

_NAME = "os_compute_api:os-hosts:"
LIST = Rule(f"{_NAME}list", ADMIN, "List hosts.")
SHOW = Rule(f"{_NAME}show", ADMIN, "See what a host has and what is used of it.")
UPDATE = Rule(f"{_NAME}update", ADMIN, "Enable or disable a host.")
REBOOT = Rule(f"{_NAME}reboot", ADMIN, "Reboot a host.")
SHUTDOWN = Rule(f"{_NAME}shutdown", ADMIN, "Shut a host down.")
START = Rule(f"{_NAME}start", ADMIN, "Start a host.")

_COMPUTE = "nova-compute"


class HostUse(NamedTuple):
    """A host with its hypervisors and instances."""

    host: str
    hypervisors: list[Hypervisor]
    instances: list[Instance]


def index(req: Request) -> list[Service]:
    """List hosts, service by service."""
    zone = req.query.get("zone")
    services = req.conductor.list_services(req.ctx, None, None)
    return [service for service in services if zone is None or service.zone == zone]


def show(req: Request, id: str) -> HostUse:
    """Show what a host has and what is used of it."""
    nodes = req.conductor.list_hypervisors(req.ctx, Page(), None, False)
    own = [node for node in nodes if node.inventory.host == id]
    if not own:
        raise ComputeHostNotFound(host=id)
    page = req.conductor.list_instances(req.ctx, InstanceQuery(all_projects=True, host=HostName(id)))
    return HostUse(id, own, list(page.instances))


def update(req: Request, id: str) -> Json:
    """Enable or disable the compute service of a host."""
    if "maintenance_mode" in req.body:
        raise Unsupported(reason="This deployment has no maintenance mode for hosts.")
    found = req.conductor.list_services(req.ctx, id, _COMPUTE)
    if not found:
        raise ComputeHostNotFound(host=id)
    disabled = req.body["status"].lower() == "disable"
    service = req.conductor.update_service(req.ctx, found[0].id, disabled, None, None)
    return {"host": id, "status": "disabled" if service.disabled else "enabled"}


def power(req: Request, id: str) -> None:
    """Refuse: machines are not switched from here."""
    del req, id
    raise Unsupported(reason="Hosts cannot be switched on and off through this deployment.")


def listed(_: Request, services: list[Service]) -> Json:
    """Render hosts, one entry for each service."""
    return {
        "hosts": [
            {
                "host_name": service.host,
                "service": service.binary.removeprefix("nova-"),
                "zone": service.zone,
            }
            for service in services
        ]
    }


def _resource(host: str, project: str, amounts: tuple[int, int, int]) -> Json:
    cpu, memory, disk = amounts
    shown = {"host": host, "project": project, "cpu": cpu, "memory_mb": memory, "disk_gb": disk}
    return {"resource": shown}


def _sum(flavors: list[Flavor]) -> tuple[int, int, int]:
    return (
        sum(flavor.vcpus for flavor in flavors),
        sum(flavor.ram_mb for flavor in flavors),
        sum(flavor.root_gb + flavor.ephemeral_gb for flavor in flavors),
    )


def used(_: Request, value: HostUse) -> Json:
    """Render what a host has, what is used of it, and what its servers may use, by project."""
    has = [node.inventory for node in value.hypervisors]
    total = (sum(h.vcpus for h in has), sum(h.ram_mb for h in has), sum(h.disk_gb for h in has))
    now = (
        sum(node.used_vcpus for node in value.hypervisors),
        sum(node.used_ram_mb + node.inventory.reserved_ram_mb for node in value.hypervisors),
        sum(node.used_disk_gb + node.inventory.reserved_disk_gb for node in value.hypervisors),
    )
    by_project: dict[str, list[Flavor]] = {}
    for instance in value.instances:
        by_project.setdefault(instance.project_id, []).append(instance.flavor)
    most = _sum([instance.flavor for instance in value.instances])
    rows = [("(total)", total), ("(used_now)", now), ("(used_max)", most)]
    rows += [(project, _sum(flavors)) for project, flavors in sorted(by_project.items())]
    return {"host": [_resource(value.host, project, amounts) for project, amounts in rows]}


_SWITCH = one_of_words("enable", "disable", "Enable", "Disable", "ENABLE", "DISABLE")
_PATH = "/os-hosts"
_ONE = "/os-hosts/{id}"


def _power(verb: str, policy: Rule) -> Operation:
    return Operation(
        name=f"hosts.{verb}", method="GET", path=f"{_ONE}/{verb}", handler=power, policy=policy, query={}
    )


OPERATIONS = (
    Operation(
        name="hosts.index",
        method="GET",
        path=_PATH,
        handler=index,
        view=listed,
        policy=LIST,
        query=query({"zone": many(STRING)}, more=True),
    ),
    Operation(name="hosts.show", method="GET", path=_ONE, handler=show, view=used, policy=SHOW, query={}),
    Operation(
        name="hosts.update",
        method="PUT",
        path=_ONE,
        handler=update,
        policy=UPDATE,
        body={
            "type": "object",
            "properties": {"status": _SWITCH, "maintenance_mode": _SWITCH},
            "anyOf": [{"required": ["status"]}, {"required": ["maintenance_mode"]}],
            "additionalProperties": False,
        },
    ),
    _power("reboot", REBOOT),
    _power("shutdown", SHUTDOWN),
    _power("startup", START),
)
