"""nova-api as a daemon: its parts, over real HTTP."""

from __future__ import annotations

import http.client
import json
from pathlib import Path

import nova.conf
from nova.api import daemon
from nova.daemon import State, Surroundings
from tests.support.microversions import NEWEST

WAIT_S = 20


def test_serves_and_stops(tmp_path: Path) -> None:
    file = tmp_path / "nova.conf"
    file.write_text(
        """
[DEFAULT]
transport_url = memory:///api-daemon-test
[api]
auth_strategy = noauth2
[wsgi]
api_listen = 127.0.0.1
api_listen_port = 0
[cors]
allowed_origin = https://dashboard.example
"""
    )
    given = Surroundings(nova.conf.load([], [str(file)]))
    api = daemon.daemon(given)
    try:
        api.start()
        assert api.wait_serving(WAIT_S)
        (server,) = api._parts.services
        connection = http.client.HTTPConnection(*server.address, timeout=WAIT_S)
        connection.request("GET", "/v2.1/", headers={"Origin": "https://dashboard.example"})
        answer = connection.getresponse()
        assert answer.status == 200
        assert answer.headers["Access-Control-Allow-Origin"] == "https://dashboard.example"
        assert json.load(answer)["version"]["version"] == NEWEST
        connection.request("GET", "/v2.1/os-cells", headers={"X-Auth-Token": "admin"})
        assert connection.getresponse().status == 410
        api.reload()
    finally:
        assert api.stop(10.0)
        given.close()
    assert api.state is State.STOPPED
