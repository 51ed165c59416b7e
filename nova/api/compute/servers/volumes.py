"""``/servers/{id}/os-volume_attachments``, to look at: nothing attaches volumes, so lists are empty."""

from __future__ import annotations

from typing import Any, NoReturn

from nova.api.compute.servers.show import found
from nova.api.wsgi.operation import Operation
from nova.api.wsgi.request import Request
from nova.api.wsgi.schema_parts import NO_QUERY, NON_NEGATIVE, many, query
from nova.errors import NotFound
from nova.policy import PROJECT_READER_OR_ADMIN, Rule

_NAME = "os_compute_api:os-volumes-attachments:"
LIST = Rule(f"{_NAME}index", PROJECT_READER_OR_ADMIN, "List volumes of a server.")
SHOW = Rule(f"{_NAME}show", PROJECT_READER_OR_ADMIN, "Show how a volume is attached to a server.")
_PATH = "/servers/{server_id}/os-volume_attachments"


def index(req: Request, server_id: str) -> dict[str, Any]:
    """List the volumes of a server."""
    found(req, server_id)
    return {"volumeAttachments": []}


def show(req: Request, server_id: str, id: str) -> NoReturn:
    """Show how a volume is attached to a server."""
    found(req, server_id)
    raise NotFound(what="Volume attachment", id=id)


OPERATIONS = (
    Operation(
        name="volume_attachments.index",
        method="GET",
        path=_PATH,
        handler=index,
        policy=Rule(
            "os_compute_api:os-volumes-attachments:index",
            PROJECT_READER_OR_ADMIN,
            "List volumes of a server.",
        ),
        query=query({"limit": many(NON_NEGATIVE), "offset": many(NON_NEGATIVE)}),
    ),
    Operation(
        name="volume_attachments.show",
        method="GET",
        path=f"{_PATH}/{{id}}",
        handler=show,
        policy=SHOW,
        query=NO_QUERY,
    ),
)
