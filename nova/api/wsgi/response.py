"""Answers: status line, headers, JSON bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

import msgspec

StartResponse = Callable[..., Any]
Headers = list[tuple[str, str]]
WSGI = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]

JSON_TYPE = "application/json"
FAULT_TYPE = "application/json; charset=UTF-8"

_encode = msgspec.json.Encoder().encode
_STATUS = {int(status): f"{int(status)} {status.phrase}" for status in HTTPStatus}


def status_line(code: int) -> str:
    """Return ``200 OK`` for 200."""
    return _STATUS.get(code) or f"{code} Unknown"


def json_bytes(document: Any) -> bytes:
    """Return a document as JSON; bytes pass as they are (already rendered)."""
    return document if isinstance(document, bytes) else _encode(document)


def send(start_response: StartResponse, code: int, headers: Headers, body: bytes) -> list[bytes]:
    """Start the answer and return its body; ``headers`` gets the length."""
    headers.append(("Content-Length", str(len(body))))
    start_response(status_line(code), headers)
    return [body]
