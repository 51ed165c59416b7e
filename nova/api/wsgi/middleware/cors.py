"""Cross-origin requests: browsers ask first (``OPTIONS``), then send, and want to be told what is allowed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from nova.api.wsgi.response import WSGI, Headers, StartResponse, send
from nova.conf.cors import CorsConf


class Cors:
    """Answers preflight requests and adds the headers browsers want to see; other callers notice nothing."""

    def __init__(self, app: WSGI, conf: CorsConf) -> None:
        self._app = app
        self._conf = conf

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        origin = environ.get("HTTP_ORIGIN")
        if not origin or not self._allowed(origin):
            return self._app(environ, start_response)
        method = environ.get("HTTP_ACCESS_CONTROL_REQUEST_METHOD")
        if environ["REQUEST_METHOD"] == "OPTIONS" and method:
            return send(start_response, 200, self._preflight(origin, method), b"")

        def start(status: str, headers: Headers, exc_info: Any = None) -> Any:
            headers.extend(self._common(origin))
            if self._conf.expose_headers:
                headers.append(("Access-Control-Expose-Headers", ",".join(self._conf.expose_headers)))
            return start_response(status, headers, exc_info) if exc_info else start_response(status, headers)

        return self._app(environ, start)

    def _allowed(self, origin: str) -> bool:
        return "*" in self._conf.origins or origin in self._conf.origins

    def _common(self, origin: str) -> Headers:
        # The origin is named even where all are allowed: "*" does not go together with credentials.
        headers: Headers = [("Access-Control-Allow-Origin", origin), ("Vary", "Origin")]
        if self._conf.credentials and "*" not in self._conf.origins:
            headers.append(("Access-Control-Allow-Credentials", "true"))
        return headers

    def _preflight(self, origin: str, method: str) -> Headers:
        if method not in self._conf.methods:
            return []
        return [
            *self._common(origin),
            ("Access-Control-Max-Age", str(self._conf.max_age_s)),
            ("Access-Control-Allow-Methods", ",".join(self._conf.methods)),
            ("Access-Control-Allow-Headers", ",".join(self._conf.headers)),
        ]
