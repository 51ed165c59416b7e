"""The Compute API's door with a real Keystone: tokens of every account, revoked ones, none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import webob

import nova.conf
from nova.api.compute import app
from nova.api.wsgi.operation import Operation
from nova.api.wsgi.request import Request
from nova.clock import Clock
from nova.conf import identity as identity_conf
from nova.conf.api import ApiConf
from nova.conf.policy import PolicyConf
from nova.identity.choice import identity_of
from nova_tools.api_client import request
from tests.support.keystone import RunningKeystone, keystone


@pytest.fixture(scope="module")
def running() -> Iterator[RunningKeystone]:
    with keystone() as server:
        yield server


def who(req: Request) -> dict[str, object]:
    """Tell who asks."""
    ctx = req.ctx
    return {"user": ctx.user_name, "project": ctx.project_id, "roles": ctx.roles, "admin": ctx.is_admin}


def site(running: RunningKeystone, tmp_path: Path, cache_s: float) -> object:
    file = tmp_path / "nova.conf"
    file.write_text(running.options() + f"[identity]\ntoken_cache_seconds = {cache_s}\n")
    conf = nova.conf.load([], [str(file)])
    clock = Clock()
    operations = (Operation(name="who.show", method="GET", path="/who", handler=who, policy=None),)
    parts = app.Parts(
        settings=ApiConf(),
        conductor=None,  # type: ignore[arg-type]
        identity=identity_of("keystone", conf, identity_conf.read(conf), clock),
        policy=app.policy_of(PolicyConf(), clock, operations),
        clock=clock,
    )
    return app.build(parts, operations=operations)


def ask(to: object, token: str | None) -> webob.Response:
    asked = webob.Request.blank("/v2.1/who", headers={"X-Auth-Token": token} if token else {})
    return asked.get_response(to)


def test_accounts_are_known_with_their_roles(running: RunningKeystone, tmp_path: Path) -> None:
    api = site(running, tmp_path, 60.0)
    demo, admin, reader = (running.token(user) for user in ("demo", "admin", "reader"))
    answer = ask(api, demo.value).json
    assert (answer["user"], answer["project"], answer["admin"]) == ("demo", demo.project_id, False)
    assert {"member", "reader"} <= set(answer["roles"]) and "admin" not in answer["roles"]
    assert ask(api, admin.value).json["admin"] is True
    assert ask(api, reader.value).json["roles"] == ["reader"]


def test_refusals_name_keystone(running: RunningKeystone, tmp_path: Path) -> None:
    api = site(running, tmp_path, 60.0)
    for token in (None, "nonsense"):
        answer = ask(api, token)
        assert answer.status_int == 401
        assert answer.headers["WWW-Authenticate"] == f'Keystone uri="{running.url}"'
        assert answer.json["error"]["code"] == 401


def test_a_revoked_token_works_no_longer_than_the_cache_believes(
    running: RunningKeystone, tmp_path: Path
) -> None:
    strict, lenient = site(running, tmp_path, 0.0), site(running, tmp_path, 60.0)
    token = running.token("demo").value
    assert ask(strict, token).status_int == ask(lenient, token).status_int == 200
    request("DELETE", f"{running.url}/auth/tokens", token=token, headers={"X-Subject-Token": token})
    assert ask(strict, token).status_int == 401
    assert ask(lenient, token).status_int == 200
