"""Plain HTTP with JSON: as much of a client as setting up and proving a cloud takes."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class ApiError(Exception):
    """An answer that is not 2xx."""

    def __init__(self, method: str, url: str, status: int, body: str) -> None:
        self.method = method
        self.url = url
        self.status = status
        self.body = body
        super().__init__(f"{method} {url}: {status} {body[:500]}")

    @property
    def words(self) -> str:
        """What the body says, without its wrapping."""
        try:
            (fault,) = json.loads(self.body).values()
            return str(fault["message"])
        except (ValueError, TypeError, KeyError, AttributeError):
            return self.body[:200] or "it does not say why"


@dataclass(frozen=True)
class Token:
    """A token, whose it is, and the endpoints of its catalogue by service type."""

    value: str
    user_id: str
    project_id: str
    endpoints: dict[str, str]


def request(
    method: str,
    url: str,
    *,
    token: str = "",
    body: object = None,
    headers: dict[str, str] | None = None,
    seconds: float = 60,
) -> Any:
    """Send one request and return the decoded body (None when it is empty).

    Raises :class:`ApiError` for an answer other than 2xx and ``OSError`` when there is none.
    """
    data = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(url, data=data, method=method, headers=headers or {})
    asked.add_header("Accept", "application/json")
    if data is not None:
        asked.add_header("Content-Type", "application/json")
    if token:
        asked.add_header("X-Auth-Token", token)
    # Without proxies: everything asked here is on this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(asked, timeout=seconds) as answer:
            text = answer.read()
    except urllib.error.HTTPError as error:
        raise ApiError(method, url, error.code, error.read().decode(errors="replace")) from None
    except http.client.HTTPException as error:
        raise OSError(f"{method} {url}: {error!r}") from None
    return json.loads(text) if text else None


def upload(url: str, token: str, file: Path, seconds: float = 300) -> None:
    """PUT a file as it is."""
    with file.open("rb") as source:
        asked = urllib.request.Request(url, data=source, method="PUT")
        asked.add_header("X-Auth-Token", token)
        asked.add_header("Content-Type", "application/octet-stream")
        asked.add_header("Content-Length", str(file.stat().st_size))
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(asked, timeout=seconds):
                pass
        except urllib.error.HTTPError as error:
            raise ApiError("PUT", url, error.code, error.read().decode(errors="replace")) from None


def password_token(auth_url: str, user: str, password: str, project: str) -> Token:
    """Log a user of the default domain in to a project. Raises :class:`ApiError` (401) when refused."""
    domain = {"id": "default"}
    body = {
        "auth": {
            "identity": {
                "methods": ["password"],
                "password": {"user": {"name": user, "domain": domain, "password": password}},
            },
            "scope": {"project": {"name": project, "domain": domain}},
        }
    }
    asked = urllib.request.Request(
        f"{auth_url}/auth/tokens", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(asked, timeout=60) as answer:
            facts = json.load(answer)["token"]
            value = answer.headers["X-Subject-Token"]
    except urllib.error.HTTPError as error:
        raise ApiError("POST", asked.full_url, error.code, error.read().decode(errors="replace")) from None
    return Token(value, facts["user"]["id"], facts["project"]["id"], _public_endpoints(facts["catalog"]))


def _public_endpoints(catalog: list[dict[str, Any]]) -> dict[str, str]:
    return {
        service["type"]: endpoint["url"]
        for service in catalog
        for endpoint in service["endpoints"]
        if endpoint["interface"] == "public"
    }
