"""``/flavors/{id}/os-flavor-access``: which projects may use a private flavor."""

from __future__ import annotations

from typing import Any

from nova.api.compute.flavors import SUBJECT
from nova.api.wsgi.operation import Operation, Rule
from nova.api.wsgi.request import Request
from nova.api.wsgi.schema_parts import NO_QUERY, body, text, wrapped
from nova.errors.compute_api import FlavorAccessPointless
from nova.objects.flavor import FlavorAccess
from nova.objects.ids import FlavorId, ProjectId
from nova.policy import ADMIN

LIST = Rule("os_compute_api:os-flavor-access", ADMIN, "List the projects that may use a private flavor.")
ADD = Rule("os_compute_api:os-flavor-access:add_tenant_access", ADMIN, "Let a project use a flavor.")
REMOVE = Rule(
    "os_compute_api:os-flavor-access:remove_tenant_access", ADMIN, "Take a flavor away from a project."
)


def index(req: Request, flavor_id: str) -> list[FlavorAccess]:
    """List the projects that may use a private flavor."""
    return req.conductor.list_flavor_access(req.ctx, FlavorId(flavor_id))


def add(req: Request, id: str) -> list[FlavorAccess]:
    """Let a project use a private flavor."""
    flavor, project = req.conductor.show_flavor(req.ctx, FlavorId(id)), ProjectId(req.argument["tenant"])
    if flavor.is_public and req.has("public_flavor_access_refused"):
        raise FlavorAccessPointless()
    req.conductor.add_flavor_access(req.ctx, flavor.id, project)
    req.recent.forget(SUBJECT)
    if flavor.is_public:
        return [FlavorAccess(flavor_id=flavor.id, project_id=project)]
    return req.conductor.list_flavor_access(req.ctx, flavor.id)


def remove(req: Request, id: str) -> list[FlavorAccess]:
    """Take a private flavor away from a project."""
    flavor = req.conductor.show_flavor(req.ctx, FlavorId(id))
    req.conductor.remove_flavor_access(req.ctx, flavor.id, ProjectId(req.argument["tenant"]))
    req.recent.forget(SUBJECT)
    return [] if flavor.is_public else req.conductor.list_flavor_access(req.ctx, flavor.id)


def listed(_: Request, rows: list[FlavorAccess]) -> dict[str, Any]:
    """Render the access list of a flavor."""
    return {"flavor_access": [{"flavor_id": row.flavor_id, "tenant_id": row.project_id} for row in rows]}


def _action(name: str) -> dict[str, Any]:
    return wrapped(name, body(("tenant",), tenant=text(255, 1)))


OPERATIONS = (
    Operation(
        name="flavor_access.index",
        method="GET",
        path="/flavors/{flavor_id}/os-flavor-access",
        handler=index,
        view=listed,
        policy=LIST,
        query=NO_QUERY,
    ),
    Operation(
        name="flavor_access.addTenantAccess",
        method="POST",
        path="/flavors/{id}/action",
        action="addTenantAccess",
        handler=add,
        view=listed,
        policy=ADD,
        body=_action("addTenantAccess"),
    ),
    Operation(
        name="flavor_access.removeTenantAccess",
        method="POST",
        path="/flavors/{id}/action",
        action="removeTenantAccess",
        handler=remove,
        view=listed,
        policy=REMOVE,
        body=_action("removeTenantAccess"),
    ),
)
