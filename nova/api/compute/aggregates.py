"""``/os-aggregates``: named sets of hosts, some of them availability zones."""

from __future__ import annotations

from typing import Any

from nova.api.compute.moments import micros
from nova.api.wsgi.formats import canonical_uuid
from nova.api.wsgi.operation import Operation, Rule
from nova.api.wsgi.request import Request
from nova.api.wsgi.schema_parts import HOST, LOOSE_NAME, NAME, NO_QUERY, NULL, UUID, body, wrapped
from nova.errors.http import InvalidInput
from nova.objects.host import Aggregate
from nova.objects.ids import AggregateId, ImageId
from nova.policy import ADMIN

Json = dict[str, Any]


def _rule(verb: str, description: str) -> Rule:
    return Rule(f"os_compute_api:os-aggregates:{verb}", ADMIN, description)


LIST = _rule("index", "List aggregates.")
CREATE = _rule("create", "Make an aggregate.")
SHOW = _rule("show", "Show an aggregate.")
UPDATE = _rule("update", "Rename an aggregate or its zone.")
DELETE = _rule("delete", "Drop an aggregate.")
ADD_HOST = _rule("add_host", "Put a host into an aggregate.")
REMOVE_HOST = _rule("remove_host", "Take a host out of an aggregate.")
SET_METADATA = _rule("set_metadata", "Set metadata of an aggregate.")


IMAGES = Rule("compute:aggregates:images", ADMIN, "Have images fetched to the hosts of an aggregate.")


def _number(text: str) -> AggregateId:
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise InvalidInput(reason=f"Invalid aggregate id {text}: it must be an integer")
    return AggregateId(int(text))


def index(req: Request) -> list[Aggregate]:
    """List aggregates."""
    return req.conductor.list_aggregates(req.ctx)


def create(req: Request) -> Aggregate:
    """Make an aggregate."""
    wish = req.body["aggregate"]
    zone = wish.get("availability_zone")
    return req.conductor.create_aggregate(req.ctx, wish["name"].strip(), zone.strip() if zone else None)


def show(req: Request, id: str) -> Aggregate:
    """Show an aggregate."""
    return req.conductor.show_aggregate(req.ctx, _number(id))


def update(req: Request, id: str) -> Aggregate:
    """Rename an aggregate or its zone; a zone of null makes it no zone any more."""
    aggregate, wish = _number(id), req.body["aggregate"]
    name, zone = wish.get("name"), wish.get("availability_zone")
    no_zone = "availability_zone" in wish and zone is None
    if no_zone:
        changed = req.conductor.put_aggregate_metadata(req.ctx, aggregate, {"availability_zone": None})
        if name is None:
            return changed
    return req.conductor.update_aggregate(
        req.ctx, aggregate, name.strip() if name else None, zone.strip() if zone else None
    )


def delete(req: Request, id: str) -> None:
    """Drop an aggregate without hosts."""
    req.conductor.delete_aggregate(req.ctx, _number(id))


def add_host(req: Request, id: str) -> Aggregate:
    """Put a host into an aggregate."""
    return req.conductor.add_aggregate_host(req.ctx, _number(id), req.argument["host"])


def remove_host(req: Request, id: str) -> Aggregate:
    """Take a host out of an aggregate."""
    return req.conductor.remove_aggregate_host(req.ctx, _number(id), req.argument["host"])


def images(req: Request, id: str) -> None:
    """Have images fetched to the hosts of an aggregate."""
    aggregate = _number(id)
    wanted = [ImageId(canonical_uuid(row["id"])) for row in req.body["cache"]]
    if len(set(wanted)) < len(wanted):
        raise InvalidInput(reason="Duplicate images in request")
    req.conductor.cache_images(req.ctx, aggregate, wanted)


def set_metadata(req: Request, id: str) -> Aggregate:
    """Set metadata items; null drops one."""
    return req.conductor.put_aggregate_metadata(req.ctx, _number(id), req.argument["metadata"])


def short_entry(aggregate: Aggregate) -> Json:
    """Render an aggregate as it is shown when it was made."""
    return {
        "id": aggregate.id,
        "uuid": aggregate.uuid,
        "name": aggregate.name,
        "availability_zone": aggregate.zone,
        "created_at": micros(aggregate.created_at),
        "updated_at": micros(aggregate.updated_at),
        "deleted": False,
        "deleted_at": None,
    }


def entry(aggregate: Aggregate) -> Json:
    """Render an aggregate with hosts and metadata."""
    return {**short_entry(aggregate), "hosts": list(aggregate.hosts), "metadata": aggregate.metadata}


def listed(_: Request, aggregates: list[Aggregate]) -> Json:
    """Render a list of aggregates."""
    return {"aggregates": [entry(aggregate) for aggregate in aggregates]}


def new(_: Request, aggregate: Aggregate) -> Json:
    """Render an aggregate just made."""
    return {"aggregate": short_entry(aggregate)}


def one(_: Request, aggregate: Aggregate) -> Json:
    """Render one aggregate."""
    return {"aggregate": entry(aggregate)}


_ZONE: Json = {"oneOf": [{"type": "string", "minLength": 1, "maxLength": 255, "format": "az_name"}, NULL]}
_ITEMS: Json = {
    "type": "object",
    "patternProperties": {"^[a-zA-Z0-9-_:. ]{1,255}$": {"type": ["string", "null"], "maxLength": 255}},
    "additionalProperties": False,
}
_PATH = "/os-aggregates"
_ONE = "/os-aggregates/{id}"


def _action(name: str, handler: Any, policy: Rule, argument: Json) -> Operation:
    return Operation(
        name=f"aggregates.{name}",
        method="POST",
        path=_ONE + "/action",
        action=name,
        handler=handler,
        view=one,
        policy=policy,
        body=wrapped(name, argument),
    )


OPERATIONS = (
    Operation(
        name="aggregates.index",
        method="GET",
        path=_PATH,
        handler=index,
        view=listed,
        policy=LIST,
        query=NO_QUERY,
    ),
    Operation(
        name="aggregates.create",
        method="POST",
        path=_PATH,
        handler=create,
        view=new,
        policy=CREATE,
        body=wrapped("aggregate", body(("name",), name=NAME, availability_zone=_ZONE)),
    ),
    Operation(
        name="aggregates.show",
        method="GET",
        path=_ONE,
        handler=show,
        view=one,
        policy=SHOW,
        query=NO_QUERY,
    ),
    Operation(
        name="aggregates.update",
        method="PUT",
        path=_ONE,
        handler=update,
        view=one,
        policy=UPDATE,
        body=wrapped(
            "aggregate",
            {
                **body(name=LOOSE_NAME, availability_zone=_ZONE),
                "anyOf": [{"required": ["name"]}, {"required": ["availability_zone"]}],
            },
        ),
    ),
    Operation(name="aggregates.delete", method="DELETE", path=_ONE, handler=delete, policy=DELETE),
    Operation(
        name="aggregates.images",
        method="POST",
        path=_ONE + "/images",
        handler=images,
        policy=IMAGES,
        success=202,
        body=body(("cache",), cache={"type": ["array"], "minItems": 1, "items": body(("id",), id=UUID)}),
    ),
    _action("add_host", add_host, ADD_HOST, body(("host",), host=HOST)),
    _action("remove_host", remove_host, REMOVE_HOST, body(("host",), host=HOST)),
    _action("set_metadata", set_metadata, SET_METADATA, body(("metadata",), metadata=_ITEMS)),
)
