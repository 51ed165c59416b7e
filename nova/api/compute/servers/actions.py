"""Actions of servers: each that has no argument is one line of a table."""

from __future__ import annotations

from typing import Any, NamedTuple

from nova.api.compute.servers import bodies
from nova.api.compute.servers.show import found
from nova.api.wsgi.operation import Operation
from nova.api.wsgi.request import Request
from nova.objects.ids import ImageId, InstanceId
from nova.objects.image import NewImage
from nova.policy import ADMIN, PROJECT_MEMBER_OR_ADMIN, Rule

_PATH = "/servers/{id}/action"


class Plain(NamedTuple):
    """An action without argument."""

    operation: str
    key: str
    """Top key of the body."""
    word: str
    """Our word for it, in ``nova.lifecycle.actions``."""
    rule: str
    summary: str


_PLAIN = (
    Plain("servers.os-start", "os-start", "start", "servers:start", "Start a stopped server."),
    Plain("servers.os-stop", "os-stop", "stop", "servers:stop", "Stop a running server."),
    Plain("pause_server.pause", "pause", "pause", "os-pause-server:pause", "Pause a server."),
    Plain("pause_server.unpause", "unpause", "unpause", "os-pause-server:unpause", "Unpause a server."),
    Plain("suspend_server.suspend", "suspend", "suspend", "os-suspend-server:suspend", "Suspend a server."),
    Plain("suspend_server.resume", "resume", "resume", "os-suspend-server:resume", "Resume a server."),
)


def _plain(row: Plain) -> Operation:
    def handler(req: Request, id: str) -> None:
        req.conductor.act(req.ctx, InstanceId(id), row.word, {})

    return Operation(
        name=row.operation,
        method="POST",
        path=_PATH,
        action=row.key,
        handler=handler,
        policy=Rule(f"os_compute_api:{row.rule}", PROJECT_MEMBER_OR_ADMIN, row.summary),
        success=202,
        body=bodies.action(row.key),
        summary=row.summary,
    )


def reboot(req: Request, id: str) -> None:
    """Reboot a server, softly or hard."""
    req.conductor.act(req.ctx, InstanceId(id), f"reboot_{req.argument['type'].lower()}", {})


def lock(req: Request, id: str) -> None:
    """Lock a server: only administrators may act on it then."""
    reason = (req.argument or {}).get("locked_reason")
    req.conductor.act(req.ctx, InstanceId(id), "lock", {"reason": reason} if reason else {})


def unlock(req: Request, id: str) -> None:
    """Take the lock of a server off; a lock of an administrator only with a rule of its own."""
    req.conductor.act(req.ctx, InstanceId(id), "unlock", {"override": req.may(UNLOCK_OVERRIDE)})


def reset_state(req: Request, id: str) -> None:
    """Say that a server is active or in error, whatever it was doing."""
    req.conductor.act(req.ctx, InstanceId(id), "resetState", {"state": req.argument["state"]})


def inject_network_info(req: Request, id: str) -> None:
    """Tell a server's network anew: its host gets it with everything else, so there is nothing to push."""
    found(req, id)


def create_image(req: Request, id: str) -> ImageId:
    """Make an image of a server."""
    asked = req.argument
    image = NewImage(name=asked["name"], properties=asked.get("metadata") or {})
    return req.conductor.create_image(req.ctx, InstanceId(id), image)


def image_made(req: Request, image_id: ImageId) -> dict[str, Any] | None:
    """Tell the image's id in the body, or in a header before that was so."""
    if req.has("snapshot_image_id"):
        return {"image_id": image_id}
    req.respond_at(req.links.image(image_id)[0]["href"])
    return None


UNLOCK_OVERRIDE = Rule(
    "os_compute_api:os-lock-server:unlock:unlock_override", ADMIN, "Unlock what an administrator locked."
)
VOLUME_BACKED = Rule(
    "os_compute_api:servers:create_image:allow_volume_backed",
    PROJECT_MEMBER_OR_ADMIN,
    "Make an image of a server that runs from a volume.",
)

OPERATIONS = (
    *map(_plain, _PLAIN),
    Operation(
        name="servers.reboot",
        method="POST",
        path=_PATH,
        action="reboot",
        handler=reboot,
        policy=Rule("os_compute_api:servers:reboot", PROJECT_MEMBER_OR_ADMIN, "Reboot a server."),
        success=202,
        body=bodies.REBOOT,
    ),
    Operation(
        name="lock_server.lock",
        method="POST",
        path=_PATH,
        action="lock",
        handler=lock,
        policy=Rule("os_compute_api:os-lock-server:lock", PROJECT_MEMBER_OR_ADMIN, "Lock a server."),
        success=202,
        body=bodies.LOCK,
    ),
    Operation(
        name="lock_server.unlock",
        method="POST",
        path=_PATH,
        action="unlock",
        handler=unlock,
        policy=Rule("os_compute_api:os-lock-server:unlock", PROJECT_MEMBER_OR_ADMIN, "Unlock a server."),
        success=202,
        rules=(UNLOCK_OVERRIDE,),
    ),
    Operation(
        name="admin_actions.os-resetState",
        method="POST",
        path=_PATH,
        action="os-resetState",
        handler=reset_state,
        policy=Rule("os_compute_api:os-admin-actions:reset_state", ADMIN, "Set the state of a server."),
        success=202,
        body=bodies.RESET_STATE,
    ),
    Operation(
        name="admin_actions.injectNetworkInfo",
        method="POST",
        path=_PATH,
        action="injectNetworkInfo",
        handler=inject_network_info,
        policy=Rule(
            "os_compute_api:os-admin-actions:inject_network_info", ADMIN, "Tell a server's network anew."
        ),
        success=202,
        body=bodies.action("injectNetworkInfo"),
    ),
    Operation(
        name="servers.createImage",
        method="POST",
        path=_PATH,
        action="createImage",
        handler=create_image,
        view=image_made,
        policy=Rule("os_compute_api:servers:create_image", PROJECT_MEMBER_OR_ADMIN, "Make an image."),
        success=202,
        body=bodies.CREATE_IMAGE,
        rules=(VOLUME_BACKED,),
    ),
)
