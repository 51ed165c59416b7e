"""``/os-console-auth-tokens``: where a console's token leads, for the proxies of other projects."""

from __future__ import annotations

import hashlib
from typing import Any

from nova.api.wsgi.operation import Operation, Rule
from nova.api.wsgi.request import Request
from nova.api.wsgi.schema_parts import NO_QUERY
from nova.errors.compute_api import ConsoleTokenNotFound, ConsoleTokenUnusable
from nova.objects.console import ConsoleAuthorization
from nova.policy import ADMIN

SHOW = Rule("os_compute_api:os-console-auth-tokens", ADMIN, "See where a console token leads.")


def show(req: Request, id: str) -> ConsoleAuthorization:
    """Show where a console token leads; tokens are known by their SHA-256 only."""
    if not req.has("console_tokens_of_all_types"):
        raise ConsoleTokenUnusable()
    found = req.conductor.find_console_token(req.ctx, hashlib.sha256(id.encode()).hexdigest())
    if found is None:
        raise ConsoleTokenNotFound()
    return found


def one(_: Request, found: ConsoleAuthorization) -> dict[str, Any]:
    """Render the way to a console."""
    return {
        "console": {
            "instance_uuid": found.instance_id,
            "host": found.host,
            "port": found.port,
            "internal_access_path": found.internal_path,
        }
    }


OPERATIONS = (
    Operation(
        name="console_auth_tokens.show",
        method="GET",
        path="/os-console-auth-tokens/{id}",
        handler=show,
        view=one,
        policy=SHOW,
        query=NO_QUERY,
    ),
)
