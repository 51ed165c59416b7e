"""Create servers."""

from __future__ import annotations

from typing import Any

from nova.api.compute.servers import bodies
from nova.api.compute.servers.wish import boot_wish, group_names
from nova.api.wsgi.operation import Operation
from nova.api.wsgi.request import Request
from nova.api.wsgi.schema_parts import truth
from nova.objects.instance import Booted, BootWish
from nova.objects.network import NetworkChoice
from nova.policy import ADMIN, PROJECT_MEMBER_OR_ADMIN, Rule

CREATE = Rule("os_compute_api:servers:create", PROJECT_MEMBER_OR_ADMIN, "Create servers.")
FORCED_HOST = Rule(
    "os_compute_api:servers:create:forced_host", ADMIN, "Create servers on a host, past the filters."
)
REQUESTED_HOST = Rule(
    "compute:servers:create:requested_destination", ADMIN, "Create servers on a host that the filters admit."
)
ATTACH_VOLUME = Rule(
    "os_compute_api:servers:create:attach_volume",
    PROJECT_MEMBER_OR_ADMIN,
    "Create servers with block devices of their own choice.",
)
ATTACH_NETWORK = Rule(
    "os_compute_api:servers:create:attach_network",
    PROJECT_MEMBER_OR_ADMIN,
    "Create servers with networks of their own choice.",
)
TRUSTED_CERTS = Rule(
    "os_compute_api:servers:create:trusted_certs",
    PROJECT_MEMBER_OR_ADMIN,
    "Create servers with certificates for their images.",
)


def create(req: Request) -> Booted:
    """Create one or more servers: they are committed, and built after the answer."""
    wish = boot_wish(req.body)
    _authorize(req, wish)
    booted = req.conductor.boot(req.ctx, wish)
    req.respond_at(req.links.to(f"servers/{booted.ids[0]}"))
    return booted


def _authorize(req: Request, wish: BootWish) -> None:
    """Ask the rules of what not everybody may wish for."""
    if wish.forced_host or wish.forced_node:
        req.authorize(rule=FORCED_HOST)
    if wish.requested_host or wish.requested_node:
        req.authorize(rule=REQUESTED_HOST)
    if wish.block_devices:
        req.authorize(rule=ATTACH_VOLUME)
    if wish.network_choice is NetworkChoice.LISTED:
        req.authorize(rule=ATTACH_NETWORK)
    if wish.trusted_certs:
        req.authorize(rule=TRUSTED_CERTS)


def created(req: Request, booted: Booted) -> dict[str, Any]:
    """Show the first of the new servers, or what they have in common."""
    asked = req.body["server"]
    if truth(asked.get("return_reservation_id")):
        return {"reservation_id": booted.reservation_id}
    first = booted.ids[0]
    server: dict[str, Any] = {
        "id": first,
        "links": req.links.pair(f"servers/{first}"),
        "OS-DCF:diskConfig": asked.get("OS-DCF:diskConfig", "AUTO"),
        "security_groups": [{"name": name} for name in group_names(asked) or ("default",)],
    }
    if req.settings.enable_instance_password and booted.admin_password:
        server["adminPass"] = booted.admin_password
    return {"server": server}


OPERATIONS = (
    Operation(
        name="servers.create",
        method="POST",
        path="/servers",
        handler=create,
        view=created,
        policy=CREATE,
        success=202,
        body=bodies.CREATE,
        rules=(FORCED_HOST, REQUESTED_HOST, ATTACH_VOLUME, ATTACH_NETWORK, TRUSTED_CERTS),
    ),
)
