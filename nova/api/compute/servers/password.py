"""``/servers/{id}/os-server-password``: what a guest told the metadata service as its password, encrypted."""

from __future__ import annotations

from typing import Any

from nova.api.wsgi.operation import Operation
from nova.api.wsgi.request import Request
from nova.api.wsgi.schema_parts import NO_QUERY
from nova.objects.ids import InstanceId
from nova.policy import PROJECT_MEMBER_OR_ADMIN, PROJECT_READER_OR_ADMIN, Rule

_PATH = "/servers/{server_id}/os-server-password"


def index(req: Request, server_id: str) -> dict[str, Any]:
    """Show the password of a server as its guest told it; empty when it told none."""
    return {"password": req.conductor.show_guest_password(req.ctx, InstanceId(server_id))}


def clear(req: Request, server_id: str) -> None:
    """Forget the password of a server; nothing changes in the guest, which may tell another."""
    req.conductor.clear_guest_password(req.ctx, InstanceId(server_id))


OPERATIONS = (
    Operation(
        name="server_password.index",
        method="GET",
        path=_PATH,
        handler=index,
        policy=Rule(
            "os_compute_api:os-server-password:show",
            PROJECT_READER_OR_ADMIN,
            "Show the encrypted password that a server told.",
        ),
        query=NO_QUERY,
    ),
    Operation(
        name="server_password.clear",
        method="DELETE",
        path=_PATH,
        handler=clear,
        policy=Rule(
            "os_compute_api:os-server-password:clear",
            PROJECT_MEMBER_OR_ADMIN,
            "Forget the encrypted password that a server told.",
        ),
        success=204,
    ),
)
