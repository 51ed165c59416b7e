"""Each filter on its own."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
import webob

from nova.api.wsgi.application import CONTEXT_KEY
from nova.api.wsgi.middleware.access_log import AccessLog
from nova.api.wsgi.middleware.cors import Cors
from nova.api.wsgi.middleware.fault_wall import FaultWall
from nova.api.wsgi.middleware.request_id import GLOBAL_REQUEST_ID, REQUEST_ID, RequestId
from nova.api.wsgi.middleware.size_limit import SizeLimit
from nova.clock import StoppedClock
from nova.conf.cors import CorsConf
from nova.context import RequestContext
from nova.errors import Unavailable
from nova.log import JsonFormatter


def fine(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]


def ask(app: Any, path: str = "/x", **more: Any) -> webob.Response:
    return webob.Request.blank(path, **more).get_response(app)


def test_request_ids() -> None:
    seen: list[dict[str, Any]] = []

    def look(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.append(environ)
        return fine(environ, start_response)

    given = "req-11111111-2222-3333-4444-555555555555"
    answers = [
        ask(RequestId(look), headers={"X-OpenStack-Request-ID": text}) for text in (given, "req-1; x", "")
    ]
    assert seen[0][GLOBAL_REQUEST_ID] == given
    assert GLOBAL_REQUEST_ID not in seen[1] and GLOBAL_REQUEST_ID not in seen[2]
    ids = {answer.headers["x-openstack-request-id"] for answer in answers}
    assert len(ids) == 3 and ids == {environ[REQUEST_ID] for environ in seen}


def test_fault_wall(caplog: pytest.LogCaptureFixture) -> None:
    def broken(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        raise KeyError("password=hunter2")

    answer = ask(FaultWall(broken))
    assert answer.status_int == 500 and "hunter2" not in answer.text and "KeyError" in answer.text
    assert "Traceback" in caplog.text

    def away(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        raise Unavailable(part="The database")

    answer = ask(FaultWall(away))
    assert answer.status_int == 503 and answer.headers["Retry-After"] == "5"
    assert answer.json["serviceUnavailable"]["message"].startswith("The database does not answer")


def test_size_limit() -> None:
    app = FaultWall(SizeLimit(fine, 10))
    assert ask(app, method="POST", body=b"x" * 10).status_int == 200
    answer = ask(app, method="POST", body=b"x" * 11)
    assert answer.status_int == 413 and answer.json["overLimit"]["code"] == 413


def test_access_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    clock = StoppedClock()

    def slow(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        clock.advance(0.25)
        return fine(environ, start_response)

    ask(AccessLog(slow, clock), "/boxes?limit=1")
    assert '"GET /boxes?limit=1" 200 250.0 ms' in caplog.text


def test_access_log_says_who_asked(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    caplog.handler.setFormatter(JsonFormatter())

    def known(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        environ[CONTEXT_KEY] = RequestContext(request_id=environ[REQUEST_ID], user_id="u", project_id="p")
        return fine(environ, start_response)

    for app, who in ((known, ("u", "p")), (fine, ("", ""))):
        caplog.clear()
        answer = ask(RequestId(AccessLog(app, StoppedClock())))
        line = json.loads(caplog.text)
        assert line["request_id"] == answer.headers["x-compute-request-id"]
        assert (line["user_id"], line["project_id"]) == who


class TestCors:
    page = "https://dashboard.example"

    def app(self, *origins: str) -> Cors:
        return Cors(fine, CorsConf(origins=frozenset(origins)))

    def test_plain_callers_notice_nothing(self) -> None:
        assert not [n for n in ask(self.app(self.page)).headers if n.startswith("Access-Control")]
        foreign = ask(self.app(self.page), headers={"Origin": "https://evil.example"})
        assert not [n for n in foreign.headers if n.startswith("Access-Control")]

    def test_requests_of_an_allowed_page(self) -> None:
        answer = ask(self.app(self.page), headers={"Origin": self.page})
        assert answer.text == "ok"
        assert answer.headers["Access-Control-Allow-Origin"] == self.page
        assert answer.headers["Access-Control-Allow-Credentials"] == "true"
        assert "OpenStack-API-Version" in answer.headers["Access-Control-Expose-Headers"]

    def test_preflight(self) -> None:
        headers = {"Origin": self.page, "Access-Control-Request-Method": "PUT"}
        answer = ask(self.app(self.page), method="OPTIONS", headers=headers)
        assert answer.status_int == 200 and answer.text == ""
        assert "PUT" in answer.headers["Access-Control-Allow-Methods"]
        assert "X-Auth-Token" in answer.headers["Access-Control-Allow-Headers"]
        refused = ask(
            self.app(self.page),
            method="OPTIONS",
            headers={**headers, "Access-Control-Request-Method": "BREW"},
        )
        assert "Access-Control-Allow-Origin" not in refused.headers

    def test_everybody_means_no_credentials(self) -> None:
        answer = ask(self.app("*"), headers={"Origin": "https://any.example"})
        assert answer.headers["Access-Control-Allow-Origin"] == "https://any.example"
        assert "Access-Control-Allow-Credentials" not in answer.headers
