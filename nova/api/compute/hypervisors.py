"""``/os-hypervisors``: compute nodes, what they have and what is claimed of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from nova.api.wsgi.formats import canonical_uuid, is_uuid
from nova.api.wsgi.operation import Operation, Rule
from nova.api.wsgi.paging import next_links, page_query
from nova.api.wsgi.request import Request
from nova.api.wsgi.schema_parts import (
    BOOLEAN,
    HOST,
    NON_NEGATIVE,
    STRING,
    query,
    single,
    truth,
)
from nova.errors import Unsupported
from nova.errors.admin import HypervisorNotFound
from nova.errors.compute_api import HypervisorsUnmatched, HypervisorUnreachable
from nova.errors.http import InvalidInput
from nova.objects.host import Hypervisor
from nova.objects.ids import InstanceId
from nova.objects.page import Page
from nova.policy import ADMIN

Json = dict[str, Any]
Guests = Mapping[str, list[tuple[InstanceId, str]]]

_NAME = "os_compute_api:os-hypervisors:"
LIST = Rule(f"{_NAME}list", ADMIN, "List hypervisors.")
DETAIL = Rule(f"{_NAME}list-detail", ADMIN, "List hypervisors with their resources.")
STATISTICS = Rule(f"{_NAME}statistics", ADMIN, "Sum up the resources of all hypervisors.")
SHOW = Rule(f"{_NAME}show", ADMIN, "Show a hypervisor.")
UPTIME = Rule(f"{_NAME}uptime", ADMIN, "Show the uptime of a hypervisor.")
SEARCH = Rule(f"{_NAME}search", ADMIN, "Search hypervisors by name.")
SERVERS = Rule(f"{_NAME}servers", ADMIN, "List the servers of hypervisors.")


class Rows(NamedTuple):
    """A list of hypervisors, with what the view has to know besides."""

    hypervisors: list[Hypervisor]
    limit: int | None = None
    """Length of a page, where there are pages."""
    guests: Guests | None = None
    """By node name, if they were asked for."""


def index(req: Request) -> Rows:
    """List hypervisors."""
    pattern = req.query.get("hypervisor_hostname_pattern")
    if pattern is not None:
        if "limit" in req.query or "marker" in req.query:
            raise InvalidInput(
                reason="Paging over hypervisors with the hypervisor_hostname_pattern query parameter "
                "is not supported."
            )
        return _with_guests(req, Rows(_matching(req, pattern)))
    if not req.has("hypervisors_paged"):
        return Rows(req.conductor.list_hypervisors(req.ctx, Page(), None, True))
    page = page_query(req)
    if page.limit == 0:
        return Rows([], 0)
    wanted = Page(limit=page.limit, marker=page.marker)
    return _with_guests(req, Rows(req.conductor.list_hypervisors(req.ctx, wanted, None, True), page.limit))


def _matching(req: Request, pattern: str) -> list[Hypervisor]:
    found = req.conductor.list_hypervisors(req.ctx, Page(), pattern, True)
    if not found:
        raise HypervisorsUnmatched(pattern=pattern)
    return found


def _with_guests(req: Request, rows: Rows) -> Rows:
    if not truth(req.query.get("with_servers")):
        return rows
    return rows._replace(guests=_guests(req, rows.hypervisors))


def _guests(req: Request, hypervisors: list[Hypervisor]) -> Guests:
    nodes = [hypervisor.inventory.node for hypervisor in hypervisors]
    return req.conductor.instances_by_hypervisor(req.ctx, list(nodes)) if nodes else {}


def _one(req: Request, id: str) -> Hypervisor:
    if req.has("service_uuids"):
        if not is_uuid(id):
            raise InvalidInput(reason=f"Invalid uuid {id}")
        id = canonical_uuid(id)
    elif not (id.isascii() and id.isdigit()):
        raise HypervisorNotFound(id=id)
    return req.conductor.show_hypervisor(req.ctx, id)


def show(req: Request, id: str) -> Rows:
    """Show a hypervisor."""
    return _with_guests(req, Rows([_one(req, id)]))


def uptime(req: Request, id: str) -> Hypervisor:
    """Show the uptime of a hypervisor."""
    hypervisor = _one(req, id)
    if hypervisor.service is not None and not hypervisor.service.is_up:
        raise HypervisorUnreachable(host=hypervisor.inventory.host)
    if hypervisor.inventory.uptime is None:
        raise Unsupported(reason="The driver of this hypervisor does not tell an uptime.")
    return hypervisor


def statistics(req: Request) -> list[Hypervisor]:
    """Sum up the resources of all hypervisors."""
    return req.conductor.list_hypervisors(req.ctx, Page(), None, False)


def search(req: Request, id: str) -> Rows:
    """Search hypervisors by a part of their names."""
    return Rows(_matching(req, id))


def servers(req: Request, id: str) -> Rows:
    """List the servers of the hypervisors whose names hold a text."""
    found = _matching(req, id)
    return Rows(found, guests=_guests(req, found))


def short_entry(hypervisor: Hypervisor) -> Json:
    """Render what all views show; ``number`` is the id below 2.53."""
    service = hypervisor.service
    return {
        "id": hypervisor.id,
        "number": hypervisor.number,
        "hypervisor_hostname": hypervisor.inventory.node,
        "state": "up" if service is not None and service.is_up and not service.forced_down else "down",
        "status": "disabled" if service is not None and service.disabled else "enabled",
    }


def resources(hypervisor: Hypervisor) -> dict[str, int]:
    """Return what a hypervisor has and uses; what is reserved for the host itself counts as used."""
    has = hypervisor.inventory
    used_ram = hypervisor.used_ram_mb + has.reserved_ram_mb
    used_disk = hypervisor.used_disk_gb + has.reserved_disk_gb
    return {
        "vcpus": has.vcpus,
        "vcpus_used": hypervisor.used_vcpus + has.reserved_vcpus,
        "memory_mb": has.ram_mb,
        "memory_mb_used": used_ram,
        "free_ram_mb": has.ram_mb - used_ram,
        "local_gb": has.disk_gb,
        "local_gb_used": used_disk,
        "free_disk_gb": has.disk_gb - used_disk,
        "disk_available_least": has.disk_available_gb,
        "current_workload": hypervisor.io_ops,
        "running_vms": hypervisor.instances,
    }


def entry(hypervisor: Hypervisor) -> Json:
    """Render a hypervisor in full."""
    has, service = hypervisor.inventory, hypervisor.service
    return {
        **short_entry(hypervisor),
        **resources(hypervisor),
        "hypervisor_type": has.hypervisor_type,
        "hypervisor_version": has.hypervisor_version,
        "host_ip": has.host_ip or None,
        "cpu_info": has.cpu_info,
        "uptime": has.uptime,
        "service": {
            "id": service.id if service else "",
            "number": service.number if service else 0,
            "host": has.host,
            "disabled_reason": service.disabled_reason if service else None,
        },
    }


def _add_guests(req: Request, shown: Json, hypervisor: Hypervisor, guests: Guests | None) -> Json:
    """Add the servers; below 2.75 the key is missing where there are none."""
    if guests is not None:
        own = [{"uuid": id, "name": name} for id, name in guests.get(hypervisor.inventory.node, ())]
        if own or req.has("strict_queries"):
            shown["servers"] = own
    return shown


def _listed(req: Request, rows: Rows, entries: list[Json]) -> Json:
    for shown, hypervisor in zip(entries, rows.hypervisors, strict=True):
        _add_guests(req, shown, hypervisor, rows.guests)
    document: Json = {"hypervisors": entries}
    if rows.limit is not None and rows.hypervisors:
        last = rows.hypervisors[-1]
        marker = last.id if req.has("service_uuids") else str(last.number)
        links = next_links(req, rows.hypervisors, rows.limit, marker)
        if links:
            document["hypervisors_links"] = links
    return document


def short_list(req: Request, rows: Rows) -> Json:
    """Render a list of hypervisors by name."""
    return _listed(req, rows, [short_entry(hypervisor) for hypervisor in rows.hypervisors])


def full_list(req: Request, rows: Rows) -> Json:
    """Render a list of hypervisors in full."""
    return _listed(req, rows, [entry(hypervisor) for hypervisor in rows.hypervisors])


def full_one(req: Request, rows: Rows) -> Json:
    """Render one hypervisor in full."""
    (hypervisor,) = rows.hypervisors
    return {"hypervisor": _add_guests(req, entry(hypervisor), hypervisor, rows.guests)}


def with_uptime(_: Request, hypervisor: Hypervisor) -> Json:
    """Render the uptime of a hypervisor."""
    return {"hypervisor": {**short_entry(hypervisor), "uptime": hypervisor.inventory.uptime}}


def sums(_: Request, hypervisors: list[Hypervisor]) -> Json:
    """Render the sums over all hypervisors."""
    total = {"count": len(hypervisors)}
    names = (
        "vcpus", "vcpus_used", "memory_mb", "memory_mb_used", "free_ram_mb", "local_gb", "local_gb_used",
        "free_disk_gb", "disk_available_least", "current_workload", "running_vms",
    )  # fmt: skip
    each = [resources(hypervisor) for hypervisor in hypervisors]
    for name in names:
        total[name] = sum(values[name] for values in each)
    return {"hypervisor_statistics": total}


_LIST = query(
    {
        "hypervisor_hostname_pattern": single(HOST),
        "limit": single(NON_NEGATIVE),
        "marker": single(STRING),
        "with_servers": single(BOOLEAN),
    }
)


def _operation(name: str, path: str, handler: Any, view: Any, policy: Rule, schema: Json | None) -> Operation:
    return Operation(
        name=f"hypervisors.{name}",
        method="GET",
        path=f"/os-hypervisors{path}",
        handler=handler,
        view=view,
        policy=policy,
        query=schema,
    )


OPERATIONS = (
    _operation("index", "", index, short_list, LIST, _LIST),
    _operation("detail", "/detail", index, full_list, DETAIL, _LIST),
    _operation("statistics", "/statistics", statistics, sums, STATISTICS, {}),
    _operation("show", "/{id}", show, full_one, SHOW, query({"with_servers": single(BOOLEAN)})),
    _operation("search", "/{id}/search", search, short_list, SEARCH, {}),
    _operation("servers", "/{id}/servers", servers, short_list, SERVERS, {}),
    _operation("uptime", "/{id}/uptime", uptime, with_uptime, UPTIME, {}),
)
