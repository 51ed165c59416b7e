"""Refuses bodies that are too long before anybody reads them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from nova.api.wsgi.response import WSGI, StartResponse
from nova.errors.http import BodyTooLarge


class SizeLimit:
    """Answers 413 to a declared length above the limit; bodies of unknown length are cut off when read."""

    def __init__(self, app: WSGI, limit: int) -> None:
        self._app = app
        self._limit = limit

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        length = environ.get("CONTENT_LENGTH")
        if length and length.isdigit() and int(length[:18]) > self._limit:
            raise BodyTooLarge(limit=self._limit)
        return self._app(environ, start_response)
