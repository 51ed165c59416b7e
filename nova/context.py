"""Who asks, for which project, under which request id: travels with every RPC message and log line."""

from __future__ import annotations

import msgspec


class RequestContext(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The frozen context of one request.  It never carries a token: a receiver that needs one is told so."""

    request_id: str
    user_id: str = ""
    project_id: str = ""
    roles: tuple[str, ...] = ()
    is_admin: bool = False
    user_name: str = ""
    project_name: str = ""
    user_domain_id: str = ""
    project_domain_id: str = ""
    global_request_id: str | None = None
    service_roles: tuple[str, ...] = ()
    remote_address: str | None = None
    timeout_s: float | None = None
    """Seconds the caller is still willing to wait, counted from sending; none means the method's default."""
    call_id: str = ""
    """Of the message that the receiver serves, filled in there: the same for all copies of a call."""


def system_context(request_id: str) -> RequestContext:
    """Return the context of work that no user asked for (loops, start-up)."""
    return RequestContext(request_id=request_id, is_admin=True, roles=("admin",))
