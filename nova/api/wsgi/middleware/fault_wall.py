"""The last resort: whatever happens below, the caller gets a proper fault and the log the traceback."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from nova.api.wsgi.faults import ANSWER_HEADERS, fault, surprise
from nova.api.wsgi.middleware.request_id import REQUEST_ID
from nova.api.wsgi.response import WSGI, StartResponse, send
from nova.errors import NovaError

LOG = logging.getLogger(__name__)


class FaultWall:
    """Turns errors that nobody caught into answers without traceback."""

    def __init__(self, app: WSGI) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        try:
            return self._app(environ, start_response)
        except NovaError as error:
            code, headers, body = fault(error)
        except Exception as error:
            # A request must not take the server down, nor show its insides.
            LOG.exception(
                "%s: %s %s failed",
                environ.get(REQUEST_ID),
                environ.get("REQUEST_METHOD"),
                environ.get("PATH_INFO"),
            )
            code, headers, body = surprise(error)
        return send(start_response, code, [*environ.get(ANSWER_HEADERS, ()), *headers], body)
