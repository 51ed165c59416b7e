"""The order in which requests pass the middleware, as a list."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nova.api.wsgi.middleware.access_log import AccessLog
from nova.api.wsgi.middleware.auth import Auth
from nova.api.wsgi.middleware.fault_wall import FaultWall
from nova.api.wsgi.middleware.request_id import RequestId
from nova.api.wsgi.middleware.size_limit import SizeLimit
from nova.api.wsgi.response import WSGI
from nova.clock import Clock
from nova.identity import Identity
from nova.policy import Policy

Filter = Callable[[WSGI], WSGI]


def outer(max_body: int, clock: Clock, extra: Sequence[Filter] = ()) -> list[Filter]:
    """Return what wraps the whole site, outermost first; ``extra`` (CORS) comes before the size limit."""
    return [
        lambda app: AccessLog(app, clock),
        RequestId,
        FaultWall,
        *extra,
        lambda app: SizeLimit(app, max_body),
    ]


def inner(identity: Identity, policy: Policy) -> list[Filter]:
    """Return what wraps the endpoints that need a caller, outermost first."""
    return [lambda app: Auth(app, identity, policy)]


def compose(filters: Sequence[Filter], app: WSGI) -> WSGI:
    """Wrap an application in filters, the first one outermost."""
    for one in reversed(filters):
        app = one(app)
    return app
