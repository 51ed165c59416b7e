"""A client of several APIs: another door when one refuses, the same request again only where that is safe."""

from __future__ import annotations

import http.client
import json
import select
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PATIENCE_S = 100.0
"""How long an answer is waited for, and how long doors that refuse are tried."""
_PAUSE_S = 0.2


@dataclass(frozen=True)
class Answer:
    """What came back; ``status`` 0 means that no answer did."""

    status: int
    body: Any = None
    request_id: str = ""
    retry_after: str | None = None
    began: float = 0.0
    """When it was first sent; monotonic."""
    seconds: float = 0.0
    tries: int = 1


class Doors:
    """One user's connections; for one thread."""

    def __init__(
        self, ports: Sequence[int], headers: Mapping[str, str], *, below: str = "/v2.1", keep: bool = True
    ) -> None:
        """``below``: what comes before each path; ``keep``: use a connection more than once."""
        self._ports = list(ports)
        self._at = 0
        self._keep = keep
        self._below = below
        self._headers = {"Accept": "application/json", **headers}
        self._links: dict[int, http.client.HTTPConnection] = {}

    def next_door(self) -> None:
        """Use another API from now on."""
        self._at = (self._at + 1) % len(self._ports)

    def ask(
        self, method: str, path: str, body: object = None, *, again: bool | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:  # fmt: skip
        """Send a request; ``headers`` are its own, besides those of all.

        A door that does not even take the connection is no answer: the next one is tried.  When a connection
        is lost later the request is sent again only if doing it twice changes nothing (``again``; none: for
        all methods but POST).  503 is passed on to the caller.
        """
        safe = method != "POST" if again is None else again
        began, tries = time.monotonic(), 0
        while True:
            tries += 1
            try:
                status, told, data = self._send(method, path, body, headers or {})
                break
            except ConnectionRefusedError:
                retriable = True
            except (OSError, http.client.HTTPException):
                retriable = safe
            self._drop()
            if not retriable or time.monotonic() - began > PATIENCE_S:
                return Answer(0, began=began, seconds=time.monotonic() - began, tries=tries)
            self.next_door()
            time.sleep(_PAUSE_S)
        return Answer(
            status,
            _read(data, told.get("content-type", "")),
            told.get("x-openstack-request-id", ""),
            told.get("retry-after"),
            began,
            time.monotonic() - began,
            tries,
        )

    def _send(
        self, method: str, path: str, body: object, own: Mapping[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        link = self._link()
        headers = {**self._headers, **own}
        data = None
        if body is not None:
            data, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        link.request(method, f"{self._below}{path}", data, headers)
        answer = link.getresponse()
        content = answer.read()
        if answer.will_close or not self._keep:
            self._drop()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, content

    def _link(self) -> http.client.HTTPConnection:
        port = self._ports[self._at]
        link = self._links.get(port)
        if link is not None and link.sock is not None and select.select([link.sock], [], [], 0)[0]:
            self._drop()  # the other side has closed it, as every client library looks first
            link = None
        if link is None:
            link = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
            link.connect()
            self._links[port] = link
        return link

    def _drop(self) -> None:
        link = self._links.pop(self._ports[self._at], None)
        if link is not None:
            link.close()


def user(name: str, project: str) -> dict[str, str]:
    """Return the headers of a user whom nobody asks for a password."""
    return {"X-Auth-Token": f"{name}:{project}", "OpenStack-API-Version": "compute 2.96"}


def _read(data: bytes, kind: str) -> Any:
    if not data:
        return None
    return json.loads(data) if "json" in kind else data.decode(errors="replace")
