"""A site made of the boxes resource, and a caller for it."""

from __future__ import annotations

import json
from typing import Any

import pytest
import webob

from nova.api.compute import app
from nova.clock import StoppedClock
from nova.conf.api import ApiConf
from nova.conf.policy import PolicyConf
from nova.identity.noauth import NoAuth
from tests.unit.api.wsgi.boxes import OPERATIONS, Shelf, box_history

PROJECT = "aaaa1111"


class Caller:
    """Speaks to a WSGI application as one user."""

    def __init__(self, site: Any, shelf: Shelf) -> None:
        self.site = site
        self.shelf = shelf

    def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        version: str | None = None,
        user: str = f"joe:{PROJECT}",
        headers: dict[str, str] | None = None,
    ) -> webob.Response:
        request = webob.Request.blank(path, method=method, headers=headers or {})
        if user:
            request.headers["X-Auth-Token"] = user
        if version:
            request.headers["OpenStack-API-Version"] = f"compute {version}"
        if isinstance(body, bytes):
            request.body = body
        elif body is not None:
            request.body = json.dumps(body).encode()
            request.content_type = "application/json"
        if headers and "Content-Type" in headers:
            request.headers["Content-Type"] = headers["Content-Type"]
        return request.get_response(self.site)


def build(**options: Any) -> Caller:
    shelf = Shelf(
        [
            {"id": "b0", "project": PROJECT, "name": "zero", "note": "first"},
            {"id": "b1", "project": PROJECT, "name": "one", "note": None},
            {"id": "x9", "project": "bbbb2222", "name": "foreign", "note": None},
        ]
    )
    clock = StoppedClock()
    parts = app.Parts(
        settings=ApiConf(**options),
        conductor=shelf,
        identity=NoAuth(),
        policy=app.policy_of(PolicyConf(), clock, OPERATIONS),
        clock=clock,
    )
    site = app.build(parts, operations=OPERATIONS, history=box_history())
    return Caller(site, shelf)


@pytest.fixture
def call() -> Caller:
    return build()
