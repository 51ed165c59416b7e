"""A small HTTP server that speaks as much of Keystone v3 as ``auth_token`` asks for."""

from __future__ import annotations

import datetime
import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


def iso(moment: datetime.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000000Z")


class KeystoneDouble:
    """Knows tokens; counts how often it is asked about each."""

    def __init__(self) -> None:
        self.tokens: dict[str, dict[str, Any]] = {}
        self.asked: Counter[str] = Counter()
        double = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _send(self, code: int, document: Any, **headers: str) -> None:
                body = json.dumps(document).encode()
                self.send_response(code)
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self) -> None:
                if self.path.startswith("/v3/auth/tokens"):
                    subject = self.headers.get("X-Subject-Token", "")
                    double.asked[subject] += 1
                    found = double.tokens.get(subject)
                    if found is None:
                        self._send(
                            404, {"error": {"code": 404, "message": "no such token", "title": "Not Found"}}
                        )
                    else:
                        self._send(200, {"token": found})
                    return
                version = {
                    "id": "v3.14",
                    "status": "stable",
                    "links": [{"rel": "self", "href": double.url}],
                    "media-types": [],
                }
                self._send(200, {"version": version})

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self._send(201, {"token": double.token("service", roles=["service"])}, X_Subject_Token="ours")

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/v3"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def token(self, user: str, *, roles: list[str], lives_s: float = 3600, **more: Any) -> dict[str, Any]:
        now = datetime.datetime.now(datetime.UTC)
        domain = {"id": "default", "name": "Default"}
        return {
            "methods": ["password"],
            "user": {"id": f"{user}-id", "name": user, "domain": domain},
            "project": {"id": "project-id", "name": "project", "domain": domain},
            "roles": [{"id": role, "name": role} for role in roles],
            "issued_at": iso(now),
            "expires_at": iso(now + datetime.timedelta(seconds=lives_s)),
            "audit_ids": ["x"],
            "catalog": [
                {
                    "type": "identity",
                    "name": "keystone",
                    "id": "i",
                    "endpoints": [
                        {"id": "e", "interface": "internal", "region": "R", "region_id": "R", "url": self.url}
                    ],
                }
            ],
            **more,
        }

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join(5)
