"""Consoles of servers: their log, and links to look at them."""

from __future__ import annotations

import re
from typing import Any

from nova.api.compute.servers import bodies
from nova.api.wsgi.operation import Operation
from nova.api.wsgi.request import Request
from nova.api.wsgi.schema_parts import body, one_of_words
from nova.errors import BadRequest
from nova.objects.console import ConsoleLink
from nova.objects.ids import InstanceId
from nova.policy import PROJECT_MEMBER_OR_ADMIN, Rule

_ACTION = "/servers/{id}/action"
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_REMOTE = Rule("os_compute_api:os-remote-consoles", PROJECT_MEMBER_OR_ADMIN, "Get a link to a console.")


def output(req: Request, id: str) -> dict[str, Any]:
    """Show the last lines of a server's console log, without control characters."""
    length = req.argument.get("length")
    lines = None if length is None or int(length) < 0 else int(length)
    text = req.conductor.console_output(req.ctx, InstanceId(id), lines)
    return {"output": _CONTROL.sub("", text)}


def create(req: Request, server_id: str) -> ConsoleLink:
    """Make a link to a console of a server."""
    asked = req.body["remote_console"]
    return req.conductor.open_console(req.ctx, InstanceId(server_id), asked["protocol"], asked["type"])


def remote_console(req: Request, link: ConsoleLink) -> dict[str, Any]:  # noqa: ARG001
    """Render a link."""
    return {"remote_console": {"protocol": link.protocol, "type": link.type, "url": link.url}}


def _console(req: Request, link: ConsoleLink) -> dict[str, Any]:  # noqa: ARG001
    return {"console": {"type": link.type, "url": link.url}}


def _by_action(key: str, protocol: str, *kinds: str) -> Operation:
    """Return one of the actions that gave links until 2.5."""

    def handler(req: Request, id: str) -> ConsoleLink:
        return req.conductor.open_console(req.ctx, InstanceId(id), protocol, req.argument["type"])

    return Operation(
        name=f"remote_consoles.{key}",
        method="POST",
        path=_ACTION,
        action=key,
        handler=handler,
        view=_console,
        policy=_REMOTE,
        body=bodies.action(key, body(("type",), type=one_of_words(*kinds))),
        summary=f"Make a link to the {protocol} console of a server.",
    )


def no_rdp(req: Request, id: str) -> None:  # noqa: ARG001
    """Refuse consoles of a kind that no hypervisor has any more."""
    raise BadRequest(reason="Unavailable console type rdp-html5.")


OPERATIONS = (
    Operation(
        name="console_output.os-getConsoleOutput",
        method="POST",
        path=_ACTION,
        action="os-getConsoleOutput",
        handler=output,
        policy=Rule(
            "os_compute_api:os-console-output", PROJECT_MEMBER_OR_ADMIN, "Show the console log of a server."
        ),
        body=bodies.CONSOLE_OUTPUT,
    ),
    Operation(
        name="remote_consoles.create",
        method="POST",
        path="/servers/{server_id}/remote-consoles",
        handler=create,
        view=remote_console,
        policy=_REMOTE,
        body=bodies.REMOTE_CONSOLE,
    ),
    _by_action("os-getVNCConsole", "vnc", "novnc", "xvpvnc"),
    _by_action("os-getSPICEConsole", "spice", "spice-html5"),
    _by_action("os-getSerialConsole", "serial", "serial"),
    Operation(
        name="remote_consoles.os-getRDPConsole",
        method="POST",
        path=_ACTION,
        action="os-getRDPConsole",
        handler=no_rdp,
        policy=None,
        body={},
    ),
)
