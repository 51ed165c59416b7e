"""What an answer of the Compute API must look like, whatever was asked."""

from __future__ import annotations

import json
from collections.abc import Mapping

from nova.api.wsgi.faults import fault_key

SLOWEST_S = 10.0
HONEST_FIVE_HUNDREDS = frozenset({501, 503})


def complaint(status: int, headers: Mapping[str, str], body: bytes) -> str | None:
    """Return what is wrong with an answer, or nothing.  Header names are in lower case."""
    if status >= 500 and status not in HONEST_FIVE_HUNDREDS:
        return f"{status}: {body[:300]!r}"
    if not headers.get("x-compute-request-id", "").startswith("req-"):
        return f"{status} has no request id"
    if status < 400:
        return None
    if status == 404 and not headers.get("content-type", "").startswith("application/json; "):
        return _of_unknown_path(headers, body)
    return _of_fault(status, headers, body)


def _of_unknown_path(headers: Mapping[str, str], body: bytes) -> str | None:
    """Judge the plain page of a path that no operation knows: it has no version headers."""
    if "openstack-api-version" in headers:
        return "a 404 of an operation that is no fault"
    return None if b"404" in body else f"404 without a page: {body[:100]!r}"


def _of_fault(status: int, headers: Mapping[str, str], body: bytes) -> str | None:
    if not headers.get("content-type", "").startswith("application/json"):
        return f"{status} is {headers.get('content-type')}"
    document = json.loads(body)
    if status == 401:
        return None if set(document) == {"error"} and document["error"]["code"] == 401 else f"401 {body!r}"
    if list(document) != [fault_key(status)]:
        return f"{status} has the keys {list(document)}"
    inner = document[fault_key(status)]
    if not set(inner) <= {"code", "message", "retryAfter"} or inner["code"] != status:
        return f"{status} holds {inner}"
    if len(body) > 8192:
        return f"{status} has {len(body)} bytes"
    return None
