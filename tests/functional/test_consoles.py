"""Consoles, logs and counters of servers in every state: an answer, or 409 with a sentence."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Iterator

import pytest

from nova import ids
from tests.support.cloud import Answer, Bench, eventually, running_cloud

VNC = {"remote_console": {"protocol": "vnc", "type": "novnc"}}


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    found = tmp_path_factory.mktemp("script") / "script.json"
    rules = [
        {"method": "spawn", "instance": "slow", "fault": "hang"},
        {"method": "spawn", "instance": "broken", "fault": "fail", "error": "BuildFailed"},
        {"method": "destroy", "instance": "clinging", "fault": "hang"},
    ]
    found.write_text(json.dumps(rules))
    return found


@pytest.fixture(scope="module")
def cloud(script: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with running_cloud(tmp_path_factory.mktemp("consoles"), extra=f"[fake]\nscript = {script}") as found:
        yield found
        script.write_text("[]")


def asked(cloud: Bench, server: str) -> dict[str, Answer]:
    """Ask for everything that only its host can tell of a server, by what is asked for."""
    user = cloud.demo
    action = f"/servers/{server}/action"
    return {
        "remote": user.ask("POST", f"/servers/{server}/remote-consoles", VNC),
        "vnc": user.ask("POST", action, {"os-getVNCConsole": {"type": "novnc"}}, version="2.5"),
        "log": user.ask("POST", action, {"os-getConsoleOutput": {}}),
        "diagnostics": cloud.admin.ask("GET", f"/servers/{server}/diagnostics"),
    }


def statuses(cloud: Bench, server: str) -> dict[str, int]:
    found = asked(cloud, server)
    for answer in found.values():
        if answer.status == 409:
            assert answer.body is not None
            assert server in answer.body["conflictingRequest"]["message"] or "no console" in str(answer)
    return {what: answer.status for what, answer in found.items()}


def test_while_it_is_built(cloud: Bench) -> None:
    """It is there, its guest is not yet: a conflict with its state, not a missing server."""
    server = cloud.demo.boot(cloud.image, name="slow")
    eventually(lambda: cloud.admin.server(server)["OS-EXT-SRV-ATTR:host"])
    assert set(statuses(cloud, server).values()) == {409}
    assert "not ready" in str(asked(cloud, server)["remote"].body)


def test_when_it_could_not_be_built(cloud: Bench) -> None:
    server = cloud.demo.boot(cloud.image, name="broken")
    eventually(lambda: cloud.demo.server(server)["status"] == "ERROR")
    assert set(statuses(cloud, server).values()) == {409}


RUNS = {"remote": 200, "vnc": 200, "log": 200, "diagnostics": 200}
IS_OFF = {"remote": 409, "vnc": 409, "log": 200, "diagnostics": 200}


@pytest.mark.parametrize(
    ("action", "status", "told"),
    [(None, "ACTIVE", RUNS), ("pause", "PAUSED", RUNS), ("suspend", "SUSPENDED", IS_OFF),
     ("os-stop", "SHUTOFF", IS_OFF)],
)  # fmt: skip
def test_once_it_is_built(cloud: Bench, action: str | None, status: str, told: dict[str, int]) -> None:
    server = cloud.demo.boot(cloud.image)
    cloud.demo.wait(server, "ACTIVE")
    if action is not None:
        assert cloud.demo.act(server, action).status == 202
        cloud.demo.wait(server, status)
    assert statuses(cloud, server) == told


def test_while_it_is_deleted_and_afterwards(cloud: Bench, script: pathlib.Path) -> None:
    server = cloud.demo.boot(cloud.image, name="clinging")
    cloud.demo.wait(server, "ACTIVE")
    assert cloud.demo.ask("DELETE", f"/servers/{server}").status == 204
    found = statuses(cloud, server)
    assert (found["remote"], found["vnc"]) == (409, 409)
    script.write_text("[]")
    cloud.demo.wait_gone(server)
    assert set(statuses(cloud, server).values()) == {404}


def test_a_server_that_never_was(cloud: Bench) -> None:
    assert set(statuses(cloud, ids.new_uuid()).values()) == {404}
