"""Errors to HTTP: one place, from the faces that error classes have."""

from __future__ import annotations

from nova.api.wsgi.response import FAULT_TYPE, Headers, json_bytes
from nova.errors import NovaError
from nova.errors.http import Unauthorized

ANSWER_HEADERS = "nova.answer_headers"
"""Where in the environment an endpoint keeps the headers of its answer, for errors that it does not catch."""

_KEYS = {
    400: "badRequest",
    401: "unauthorized",
    403: "forbidden",
    404: "itemNotFound",
    405: "badMethod",
    409: "conflictingRequest",
    413: "overLimit",
    415: "badMediaType",
    429: "overLimit",
    501: "notImplemented",
    503: "serviceUnavailable",
}

_SURPRISE = (
    "Unexpected API Error. Please report this to the operator of this cloud, with the request id.\n{kind}"
)


def fault_key(code: int) -> str:
    """Return the top key of a fault body."""
    return _KEYS.get(code, "computeFault")


def fault(error: NovaError) -> tuple[int, Headers, bytes]:
    """Return status, headers and body of a foreseen error."""
    headers: Headers = [("Content-Type", FAULT_TYPE)]
    inner: dict[str, object] = {"code": error.http, "message": str(error)}
    if error.retry_after is not None:
        headers.append(("Retry-After", str(error.retry_after)))
        if error.http in (413, 429):
            inner["retryAfter"] = str(error.retry_after)
    if isinstance(error, Unauthorized) and error.challenge:
        headers.append(("WWW-Authenticate", error.challenge))
    return error.http, headers, json_bytes({fault_key(error.http): inner})


def surprise(error: BaseException) -> tuple[int, Headers, bytes]:
    """Return the answer to an error nobody foresaw: fixed text and the class, never the details."""
    text = _SURPRISE.format(kind=type(error))
    body = json_bytes({"computeFault": {"code": 500, "message": text}})
    return 500, [("Content-Type", FAULT_TYPE)], body


def unauthorized(error: Unauthorized) -> tuple[int, Headers, bytes]:
    """Return the answer of the authentication filter."""
    headers: Headers = [("Content-Type", "application/json")]
    if error.challenge:
        headers.append(("WWW-Authenticate", error.challenge))
    inner = {"code": 401, "title": "Unauthorized", "message": str(error)}
    return 401, headers, json_bytes({"error": inner})
