"""``/os-services``: the daemons of the cloud."""

from __future__ import annotations

from typing import Any

from nova.api.compute.moments import micros
from nova.api.wsgi.formats import canonical_uuid, is_uuid
from nova.api.wsgi.operation import Operation, Rule
from nova.api.wsgi.request import Request
from nova.api.wsgi.schema_parts import BOOLEAN, STRING, body, many, one_of_words, query, text, truth
from nova.errors.admin import ServiceNotFound
from nova.errors.compute_api import ServiceUnchangeable
from nova.errors.http import InvalidInput, RouteNotFound
from nova.objects.host import Service
from nova.objects.ids import ServiceId
from nova.policy import ADMIN

Json = dict[str, Any]

_NAME = "os_compute_api:os-services:"
LIST = Rule(f"{_NAME}list", ADMIN, "List services.")
UPDATE = Rule(f"{_NAME}update", ADMIN, "Enable, disable or force down a service.")
DELETE = Rule(f"{_NAME}delete", ADMIN, "Forget a service.")

COMPUTE = "nova-compute"
_HIDDEN = frozenset({"nova-osapi_compute", "nova-metadata", "nova-api"})


def index(req: Request) -> list[Service]:
    """List services."""
    services = req.conductor.list_services(req.ctx, req.query.get("host"), req.query.get("binary"))
    return [service for service in services if service.binary not in _HIDDEN]


def update(req: Request, id: str) -> Service | Json:
    """Enable, disable or force down a service."""
    if not req.has("service_uuids"):
        return _update_by_verb(req, id)
    if not is_uuid(id):
        raise InvalidInput(reason=f"Invalid uuid {id}")
    status, reason = req.body.get("status"), req.body.get("disabled_reason")
    forced_down = truth(req.body["forced_down"]) if "forced_down" in req.body else None
    if status is None and reason is None and forced_down is None:
        raise InvalidInput(reason="No updates were requested. Fields 'status' or 'forced_down' are needed.")
    if reason is not None and status != "disabled":
        raise InvalidInput(reason="Specifying 'disabled_reason' requires that status is 'disabled'.")
    service = _find(req, canonical_uuid(id))
    if service.binary != COMPUTE:
        raise ServiceUnchangeable(binary=service.binary)
    disabled = None if status is None else status == "disabled"
    return req.conductor.update_service(req.ctx, service.id, disabled, reason, forced_down)


def _update_by_verb(req: Request, verb: str) -> Json:
    """Do what the path says to the service that the body names by host and binary."""
    host, binary = req.body["host"], req.body["binary"]
    told: Json = {"host": host, "binary": binary}
    if verb in ("enable", "disable"):
        change: tuple[bool | None, str | None, bool | None] = (verb == "disable", None, None)
        told["status"] = f"{verb}d"
    elif verb == "disable-log-reason":
        reason = req.body.get("disabled_reason")
        if not reason:
            raise InvalidInput(reason="Missing disabled reason field")
        change = (True, reason, None)
        told |= {"status": "disabled", "disabled_reason": reason}
    elif verb == "force-down" and req.has("service_forced_down"):
        if "forced_down" not in req.body:
            raise InvalidInput(reason="Missing forced_down field")
        told["forced_down"] = truth(req.body["forced_down"])
        change = (None, None, told["forced_down"])
    else:
        raise RouteNotFound()
    found = [s for s in req.conductor.list_services(req.ctx, host, binary) if s.binary == binary]
    if not found:
        raise ServiceNotFound(id=f"{binary} on host {host}")
    if binary != COMPUTE:
        raise ServiceUnchangeable(binary=binary)
    req.conductor.update_service(req.ctx, found[0].id, *change)
    return told


def delete(req: Request, id: str) -> None:
    """Forget a service."""
    if req.has("service_uuids"):
        if not is_uuid(id):
            raise InvalidInput(reason=f"Invalid uuid {id}")
        service = ServiceId(canonical_uuid(id))
    else:
        if not (id.isascii() and id.isdigit()):
            raise InvalidInput(reason=f"{id} must be an integer")
        service = _find(req, id).id
    req.conductor.delete_service(req.ctx, service)


def _find(req: Request, id: str) -> Service:
    """Return the service with a uuid or a number."""
    for service in req.conductor.list_services(req.ctx, None, None):
        if id in (service.id, str(service.number)):
            return service
    raise ServiceNotFound(id=id)


def entry(service: Service) -> Json:
    """Render a service; ``number`` is its id below 2.53."""
    return {
        "id": service.id,
        "number": service.number,
        "binary": service.binary,
        "host": service.host,
        "zone": service.zone,
        "status": "disabled" if service.disabled else "enabled",
        "state": "up" if service.is_up and not service.forced_down else "down",
        "updated_at": micros(service.seen_at or service.updated_at),
        "disabled_reason": service.disabled_reason,
        "forced_down": service.forced_down,
    }


def listed(_: Request, services: list[Service]) -> Json:
    """Render a list of services."""
    return {"services": [entry(service) for service in services]}


def changed(_: Request, value: Service | Json) -> Json:
    """Render a service after a change; what was asked by a verb is answered with an echo."""
    return {"service": entry(value) if isinstance(value, Service) else value}


OPERATIONS = (
    Operation(
        name="services.index",
        method="GET",
        path="/os-services",
        handler=index,
        view=listed,
        policy=LIST,
        query=query({"host": many(STRING), "binary": many(STRING)}),
    ),
    Operation(
        name="services.update",
        method="PUT",
        path="/os-services/{id}",
        handler=update,
        view=changed,
        policy=UPDATE,
        body=body(
            status=one_of_words("enabled", "disabled"),
            disabled_reason=text(255, 1),
            forced_down=BOOLEAN,
        ),
    ),
    Operation(
        name="services.delete",
        method="DELETE",
        path="/os-services/{id}",
        handler=delete,
        policy=DELETE,
        success=204,
    ),
)
