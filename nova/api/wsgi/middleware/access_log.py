"""One log line for each request: who asked what, and what it cost."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from nova import log
from nova.api.wsgi.application import CONTEXT_KEY
from nova.api.wsgi.middleware.request_id import REQUEST_ID
from nova.api.wsgi.response import WSGI, Headers, StartResponse
from nova.clock import Clock
from nova.context import RequestContext

LOG = logging.getLogger(__name__)


class AccessLog:
    """Logs at INFO; costs next to nothing when that is off.  Tokens in paths and queries are masked."""

    def __init__(self, app: WSGI, clock: Clock) -> None:
        self._app = app
        self._clock = clock

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if not LOG.isEnabledFor(logging.INFO):
            return self._app(environ, start_response)
        began = self._clock.monotonic()
        seen: list[str] = ["-"]

        def start(status: str, headers: Headers, exc_info: Any = None) -> Any:
            seen[0] = status[:3]
            return start_response(status, headers, exc_info) if exc_info else start_response(status, headers)

        answer = self._app(environ, start)
        query = environ.get("QUERY_STRING")
        target = environ.get("PATH_INFO", "") + (f"?{query}" if query else "")
        with log.bound(environ.get(CONTEXT_KEY) or _nobody(environ)):
            LOG.info(
                '%s "%s %s" %s %.1f ms',
                environ.get("REMOTE_ADDR", "-"),
                environ["REQUEST_METHOD"],
                log.mask(target) if "token" in target else target,
                seen[0],
                (self._clock.monotonic() - began) * 1000,
            )
        return answer


def _nobody(environ: dict[str, Any]) -> RequestContext:
    """Return the context of a request that was refused before anybody knew whose it is."""
    return RequestContext(request_id=environ.get(REQUEST_ID, "-"), user_id="", project_id="")
