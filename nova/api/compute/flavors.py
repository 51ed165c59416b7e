"""``/flavors``: the sizes of servers."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

from nova import ids
from nova.api.wsgi.operation import Operation, Rule
from nova.api.wsgi.paging import PageQuery, next_links, page_query
from nova.api.wsgi.request import Request
from nova.api.wsgi.schema_parts import (
    BOOLEAN,
    NAME,
    NO_QUERY,
    NON_NEGATIVE,
    STRING,
    body,
    many,
    one_of_words,
    query,
    truth,
    wrapped,
)
from nova.errors.database import MarkerNotFound
from nova.errors.http import InvalidInput
from nova.objects.flavor import Flavor
from nova.objects.ids import FlavorId
from nova.objects.page import Page
from nova.policy import ADMIN, PROJECT_READER_OR_ADMIN

Json = dict[str, Any]

CREATE = Rule("os_compute_api:os-flavor-manage:create", ADMIN, "Make a flavor.")
UPDATE = Rule("os_compute_api:os-flavor-manage:update", ADMIN, "Change the description of a flavor.")
DELETE = Rule("os_compute_api:os-flavor-manage:delete", ADMIN, "Drop a flavor.")
SEE_SPECS = Rule(
    "os_compute_api:os-flavor-extra-specs:index", PROJECT_READER_OR_ADMIN, "See extra specs of flavors."
)

SUBJECT = "flavors"
"""Under which flavors are remembered (:class:`nova.api.wsgi.recent.Recent`)."""
AGE_S = 2.0
ADMIN_AGE_S = 0.25
"""Administrators see what they changed through another process sooner."""

_EPOCH = datetime.datetime.min.replace(tzinfo=datetime.UTC)
_TRUE = frozenset({"1", "t", "true", "on", "y", "yes"})
_FALSE = frozenset({"0", "f", "false", "off", "n", "no"})
_ORDERS: dict[str, Callable[[Flavor], Any]] = {
    "created_at": lambda flavor: flavor.created_at or _EPOCH,
    "description": lambda flavor: flavor.description or "",
    "disabled": lambda flavor: flavor.disabled,
    "ephemeral_gb": lambda flavor: flavor.ephemeral_gb,
    "flavorid": lambda flavor: flavor.id,
    "id": lambda flavor: (flavor.created_at or _EPOCH, flavor.id),
    "is_public": lambda flavor: flavor.is_public,
    "memory_mb": lambda flavor: flavor.ram_mb,
    "name": lambda flavor: flavor.name,
    "root_gb": lambda flavor: flavor.root_gb,
    "rxtx_factor": lambda flavor: flavor.rxtx_factor,
    "swap": lambda flavor: flavor.swap_mb,
    "updated_at": lambda flavor: flavor.updated_at or _EPOCH,
    "vcpu_weight": lambda flavor: flavor.id,
    "vcpus": lambda flavor: flavor.vcpus,
}


def index(req: Request) -> tuple[list[Flavor], PageQuery]:
    """List the flavors the caller may use."""
    page = page_query(req)
    least_ram, least_disk = _least(req, "minRam"), _least(req, "minDisk")
    flavors = [
        flavor
        for flavor in _visible(req, _public(req))
        if flavor.ram_mb >= least_ram and flavor.root_gb >= least_disk
    ]
    name = req.query.get("name")
    if name is not None:
        flavors = [flavor for flavor in flavors if name in flavor.name]
    order = _ORDERS[req.query.get("sort_key") or "flavorid"]
    flavors.sort(key=lambda flavor: (order(flavor), flavor.id), reverse=req.query.get("sort_dir") == "desc")
    return _after(flavors, page), page


def _visible(req: Request, is_public: bool | None) -> list[Flavor]:
    ctx = req.ctx
    return req.recent.get(
        SUBJECT,
        (ctx.project_id, ctx.is_admin, is_public),
        ADMIN_AGE_S if ctx.is_admin else AGE_S,
        lambda: req.conductor.list_flavors(ctx, Page(), is_public, 0, 0),
    )


def _after(flavors: list[Flavor], page: PageQuery) -> list[Flavor]:
    start = 0
    if page.marker is not None:
        found = [at for at, flavor in enumerate(flavors) if flavor.id == page.marker]
        if not found:
            raise MarkerNotFound(marker=page.marker)
        start = found[0] + 1
    return flavors[start : start + page.limit]


def _least(req: Request, key: str) -> int:
    text = req.query.get(key)
    if not text:
        return 0
    try:
        return int(text)
    except ValueError:
        raise InvalidInput(reason=f"Invalid {key} filter [{text}]") from None


def _public(req: Request) -> bool | None:
    """Read ``is_public``, which only administrators may say; none means all."""
    text = req.query.get("is_public")
    if text is None or not req.ctx.is_admin:
        return True
    word = text.strip().lower()
    if word == "none":
        return None
    if word not in _TRUE | _FALSE:
        raise InvalidInput(reason=f"Invalid is_public filter [{text}]")
    return word in _TRUE


def show(req: Request, id: str) -> Flavor:
    """Show a flavor."""
    return req.conductor.show_flavor(req.ctx, FlavorId(id))


def create(req: Request) -> Flavor:
    """Make a flavor."""
    wish = req.body["flavor"]
    asked = wish.get("id")
    flavor = Flavor(
        id=FlavorId(ids.new_uuid() if asked in (None, "auto") else str(asked)),
        name=wish["name"].strip(),
        vcpus=int(wish["vcpus"]),
        ram_mb=int(wish["ram"]),
        root_gb=int(wish["disk"]),
        ephemeral_gb=int(wish.get("OS-FLV-EXT-DATA:ephemeral", 0)),
        swap_mb=int(wish.get("swap", 0)),
        rxtx_factor=float(wish.get("rxtx_factor", 1.0)),
        is_public=truth(wish.get("os-flavor-access:is_public", True)),
        description=wish.get("description"),
    )
    made = req.conductor.create_flavor(req.ctx, flavor)
    req.recent.forget(SUBJECT)
    return made


def update(req: Request, id: str) -> Flavor:
    """Change the description of a flavor."""
    changed = req.conductor.update_flavor(req.ctx, FlavorId(id), req.body["flavor"]["description"])
    req.recent.forget(SUBJECT)
    return changed


def delete(req: Request, id: str) -> None:
    """Drop a flavor; servers keep their copies of it."""
    req.conductor.delete_flavor(req.ctx, FlavorId(id))
    req.recent.forget(SUBJECT)


def entry(req: Request, flavor: Flavor, *, with_specs: bool) -> Json:
    """Render a flavor in full."""
    shown: Json = {
        "id": flavor.id,
        "name": flavor.name,
        "ram": flavor.ram_mb,
        "disk": flavor.root_gb,
        "vcpus": flavor.vcpus,
        "OS-FLV-EXT-DATA:ephemeral": flavor.ephemeral_gb,
        "swap": flavor.swap_mb,
        "rxtx_factor": flavor.rxtx_factor,
        "OS-FLV-DISABLED:disabled": flavor.disabled,
        "os-flavor-access:is_public": flavor.is_public,
        "description": flavor.description,
        "links": req.links.pair(f"flavors/{flavor.id}"),
    }
    if with_specs:
        shown["extra_specs"] = flavor.extra_specs
    return shown


def short_entry(req: Request, flavor: Flavor) -> Json:
    """Render a flavor for the short list."""
    return {
        "id": flavor.id,
        "name": flavor.name,
        "description": flavor.description,
        "links": req.links.pair(f"flavors/{flavor.id}"),
    }


def _listed(req: Request, entries: list[Json], value: tuple[list[Flavor], PageQuery]) -> Json:
    rows, page = value
    document: Json = {"flavors": entries}
    links = next_links(req, rows, page.limit, rows[-1].id if rows else None)
    if links:
        document["flavors_links"] = links
    return document


def short_list(req: Request, value: tuple[list[Flavor], PageQuery]) -> Json:
    """Render a page of short entries."""
    return _listed(req, [short_entry(req, flavor) for flavor in value[0]], value)


def full_list(req: Request, value: tuple[list[Flavor], PageQuery]) -> Json:
    """Render a page of full entries."""
    with_specs = req.may(SEE_SPECS)
    return _listed(req, [entry(req, flavor, with_specs=with_specs) for flavor in value[0]], value)


def one(req: Request, flavor: Flavor) -> Json:
    """Render one flavor."""
    return {"flavor": entry(req, flavor, with_specs=req.may(SEE_SPECS))}


_WHOLE: Json = {"type": ["integer", "string"], "pattern": "^[0-9]+$", "minimum": 0, "maximum": 0x7FFFFFFF}
_AT_LEAST_ONE: Json = {**_WHOLE, "minimum": 1}
_DESCRIPTION: Json = {
    "type": ["string", "null"],
    "minLength": 0,
    "maxLength": 65535,
    "format": "printable",
}
_ID: Json = {
    "type": ["string", "number", "null"],
    "minLength": 1,
    "maxLength": 255,
    "pattern": "^(?! )[a-zA-Z0-9. _-]+(?<! )$",
}
_CREATE = wrapped(
    "flavor",
    body(
        ("name", "ram", "vcpus", "disk"),
        **{"OS-FLV-EXT-DATA:ephemeral": _WHOLE, "os-flavor-access:is_public": BOOLEAN},
        name=NAME,
        id=_ID,
        ram=_AT_LEAST_ONE,
        vcpus=_AT_LEAST_ONE,
        disk=_WHOLE,
        swap=_WHOLE,
        description=_DESCRIPTION,
    ),
)
_LIST = query(
    {
        "limit": many(NON_NEGATIVE),
        "marker": many(STRING),
        "is_public": many(STRING),
        "minRam": many(STRING),
        "minDisk": many(STRING),
        "name": many(STRING),
        "sort_dir": many(one_of_words("asc", "desc")),
        "sort_key": many(one_of_words(*(key for key in _ORDERS if key != "rxtx_factor"))),
    }
)

OPERATIONS = (
    Operation(
        name="flavors.index",
        method="GET",
        path="/flavors",
        handler=index,
        view=short_list,
        policy=None,
        query=_LIST,
    ),
    Operation(
        name="flavors.create",
        method="POST",
        path="/flavors",
        handler=create,
        view=one,
        policy=CREATE,
        body=_CREATE,
        rules=(SEE_SPECS,),
    ),
    Operation(
        name="flavors.detail",
        method="GET",
        path="/flavors/detail",
        handler=index,
        view=full_list,
        policy=None,
        query=_LIST,
        rules=(SEE_SPECS,),
    ),
    Operation(
        name="flavors.show",
        method="GET",
        path="/flavors/{id}",
        handler=show,
        view=one,
        policy=None,
        query=NO_QUERY,
        rules=(SEE_SPECS,),
    ),
    Operation(
        name="flavors.update",
        method="PUT",
        path="/flavors/{id}",
        handler=update,
        view=one,
        policy=UPDATE,
        body=wrapped("flavor", body(("description",), description=_DESCRIPTION)),
        rules=(SEE_SPECS,),
    ),
    Operation(
        name="flavors.delete",
        method="DELETE",
        path="/flavors/{id}",
        handler=delete,
        policy=DELETE,
        success=202,
    ),
)
