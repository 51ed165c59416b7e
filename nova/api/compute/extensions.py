"""``/extensions``: what clients of the first years asked before they used a feature."""

from __future__ import annotations

from typing import Any

from nova.api.compute.extension_table import EXTENSIONS, ONLY_LEGACY, Extension
from nova.api.wsgi.operation import Operation, Rule
from nova.api.wsgi.request import Request
from nova.api.wsgi.schema_parts import NO_QUERY
from nova.errors.compute_api import ExtensionNotFound
from nova.policy import ANYONE

Json = dict[str, Any]

LIST = Rule("os_compute_api:extensions", ANYONE, "List the extensions of the API.")
_NAMESPACE = "http://docs.openstack.org/compute/ext/fake_xml"
_UPDATED = "2014-12-03T00:00:00Z"


def index(req: Request) -> list[Extension]:
    """List the extensions of the API."""
    return [extension for extension in EXTENSIONS if req.legacy or extension.alias != ONLY_LEGACY]


def show(req: Request, id: str) -> Extension:
    """Show one extension."""
    for extension in index(req):
        if extension.alias == id:
            return extension
    raise ExtensionNotFound()


def entry(extension: Extension) -> Json:
    """Render an extension."""
    return {
        "alias": extension.alias,
        "name": extension.name,
        "description": extension.description,
        "namespace": _NAMESPACE,
        "updated": _UPDATED,
        "links": [],
    }


def listed(_: Request, extensions: list[Extension]) -> Json:
    """Render the list of extensions."""
    return {"extensions": [entry(extension) for extension in extensions]}


def one(_: Request, extension: Extension) -> Json:
    """Render one extension."""
    return {"extension": entry(extension)}


OPERATIONS = (
    Operation(
        name="extension_info.index",
        method="GET",
        path="/extensions",
        handler=index,
        view=listed,
        policy=LIST,
        query=NO_QUERY,
    ),
    Operation(
        name="extension_info.show",
        method="GET",
        path="/extensions/{id}",
        handler=show,
        view=one,
        policy=LIST,
        query=NO_QUERY,
    ),
)
