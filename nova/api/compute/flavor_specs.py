"""``/flavors/{id}/os-extra_specs``: what the driver and the scheduler are told about a flavor."""

from __future__ import annotations

from typing import Any

from nova.api.compute import extra_spec_check
from nova.api.compute.flavors import SEE_SPECS, SUBJECT
from nova.api.wsgi.operation import Operation, Rule
from nova.api.wsgi.request import Request
from nova.api.wsgi.schema_parts import NO_QUERY, wrapped
from nova.errors.admin import FlavorExtraSpecNotFound
from nova.errors.http import InvalidInput
from nova.objects.ids import FlavorId
from nova.policy import ADMIN, PROJECT_READER_OR_ADMIN

Json = dict[str, Any]

_PATH = "/flavors/{flavor_id}/os-extra_specs"
_NAME = "os_compute_api:os-flavor-extra-specs:"
SHOW = Rule(f"{_NAME}show", PROJECT_READER_OR_ADMIN, "See one extra spec of a flavor.")
CREATE = Rule(f"{_NAME}create", ADMIN, "Add extra specs to a flavor.")
UPDATE = Rule(f"{_NAME}update", ADMIN, "Change an extra spec of a flavor.")
DELETE = Rule(f"{_NAME}delete", ADMIN, "Drop an extra spec of a flavor.")


def index(req: Request, flavor_id: str) -> Json:
    """List the extra specs of a flavor."""
    return {"extra_specs": req.conductor.show_flavor(req.ctx, FlavorId(flavor_id)).extra_specs}


def show(req: Request, flavor_id: str, id: str) -> Json:
    """Show one extra spec."""
    specs = req.conductor.show_flavor(req.ctx, FlavorId(flavor_id)).extra_specs
    if id not in specs:
        raise FlavorExtraSpecNotFound(id=flavor_id, key=id)
    return {id: specs[id]}


def create(req: Request, flavor_id: str) -> Json:
    """Add or overwrite extra specs; the answer holds those that were sent."""
    _put(req, flavor_id, req.body["extra_specs"])
    return {"extra_specs": req.body["extra_specs"]}


def update(req: Request, flavor_id: str, id: str) -> Json:
    """Add or overwrite the one extra spec that the path names."""
    if id not in req.body:
        raise InvalidInput(reason="Request body and URI mismatch")
    _put(req, flavor_id, req.body)
    return {id: req.body[id]}


def delete(req: Request, flavor_id: str, id: str) -> None:
    """Drop an extra spec."""
    req.conductor.delete_extra_spec(req.ctx, FlavorId(flavor_id), id)
    req.recent.forget(SUBJECT)


def _put(req: Request, flavor_id: str, wanted: Json) -> None:
    specs = {key: str(value) for key, value in wanted.items()}
    if req.has("checked_extra_specs"):
        extra_spec_check.check(specs)
    req.conductor.put_extra_specs(req.ctx, FlavorId(flavor_id), specs)
    req.recent.forget(SUBJECT)


_SPECS: Json = {
    "type": "object",
    "patternProperties": {"^[a-zA-Z0-9-_:. ]{1,255}$": {"maxLength": 255, "type": ["string", "number"]}},
    "additionalProperties": False,
}

OPERATIONS = (
    Operation(
        name="flavors_extraspecs.index",
        method="GET",
        path=_PATH,
        handler=index,
        policy=SEE_SPECS,
        query=NO_QUERY,
    ),
    Operation(
        name="flavors_extraspecs.create",
        method="POST",
        path=_PATH,
        handler=create,
        policy=CREATE,
        body=wrapped("extra_specs", _SPECS),
    ),
    Operation(
        name="flavors_extraspecs.show",
        method="GET",
        path=_PATH + "/{id}",
        handler=show,
        policy=SHOW,
        query=NO_QUERY,
    ),
    Operation(
        name="flavors_extraspecs.update",
        method="PUT",
        path=_PATH + "/{id}",
        handler=update,
        policy=UPDATE,
        body={**_SPECS, "minProperties": 1, "maxProperties": 1},
    ),
    Operation(
        name="flavors_extraspecs.delete",
        method="DELETE",
        path=_PATH + "/{id}",
        handler=delete,
        policy=DELETE,
    ),
)
