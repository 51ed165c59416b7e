"""Request ids: one of our own for every request, the caller's global one beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from nova import ids
from nova.api.wsgi.response import WSGI, StartResponse

REQUEST_ID = "nova.request_id"
GLOBAL_REQUEST_ID = "nova.global_request_id"

_FORM = re.compile(r"req-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)


class RequestId:
    """Puts ``x-compute-request-id`` and ``x-openstack-request-id`` on every answer."""

    def __init__(self, app: WSGI) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        request_id = environ[REQUEST_ID] = ids.new_request_id()
        given = environ.get("HTTP_X_OPENSTACK_REQUEST_ID")
        if given and _FORM.fullmatch(given):
            environ[GLOBAL_REQUEST_ID] = given

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            headers.append(("x-compute-request-id", request_id))
            headers.append(("x-openstack-request-id", request_id))
            return start_response(status, headers, exc_info) if exc_info else start_response(status, headers)

        return self._app(environ, start)
