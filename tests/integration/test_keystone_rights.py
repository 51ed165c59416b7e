"""The table of rights with tokens of a real Keystone: a sample of every kind of door, each role, no token."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nova_tools.api_client import request
from tests.support.cloud import Bench, User, running_cloud
from tests.support.keystone import RunningKeystone, keystone

GOLDEN = Path(__file__).parents[1] / "golden" / "authorisation.txt"
COLUMNS = ("none", "garbage", "reader", "member", "manager", "admin", "service", "other")
ROLES = ("none", "garbage", "reader", "member", "admin", "other")
FLAVOR = {"flavor": {"name": "{new}", "ram": 64, "vcpus": 1, "disk": 0}}
SAMPLE: dict[str, tuple[str, str, Any]] = {
    "servers.index": ("GET", "/servers", None),
    "servers.show": ("GET", "/servers/{server}", None),
    "servers.update": ("PUT", "/servers/{server}", {"server": {"name": "renamed"}}),
    "lock_server.lock": ("POST", "/servers/{server}/action", {"lock": None}),
    "console_output.os-getConsoleOutput": ("POST", "/servers/{server}/action", {"os-getConsoleOutput": {}}),
    "admin_actions.os-resetState": (
        "POST",
        "/servers/{server}/action",
        {"os-resetState": {"state": "active"}},
    ),
    "services.index": ("GET", "/os-services", None),
    "hypervisors.index": ("GET", "/os-hypervisors", None),
    "flavors.index": ("GET", "/flavors", None),
    "flavors.create": ("POST", "/flavors", FLAVOR),
    "aggregates.index": ("GET", "/os-aggregates", None),
}
"""Method, path and body by the name of the operation in the table."""


def expected() -> dict[str, dict[str, int]]:
    """Return what the table says of the sample."""
    rows = [line.split() for line in GOLDEN.read_text().splitlines() if not line.startswith("#")]
    return {
        row[0]: dict(zip(COLUMNS, map(int, row[-len(COLUMNS) :]), strict=True))
        for row in rows
        if row and row[0] in SAMPLE
    }


@pytest.fixture(scope="module")
def running() -> Iterator[RunningKeystone]:
    with keystone() as server:
        yield server


@pytest.fixture(scope="module")
def cloud(running: RunningKeystone, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    extra = running.options() + "[identity]\ntoken_cache_seconds = 0\n"
    accounts = {"admin": "admin", "demo": "demo", "other": "alt_demo"}
    tokens = {name: running.token(account).value for name, account in accounts.items()}
    with running_cloud(tmp_path_factory.mktemp("rights"), extra=extra, tokens=tokens) as found:
        yield found


def user(cloud: Bench, token: str) -> User:
    made = User(cloud.port, "", "")
    made.token = token
    return made


@pytest.fixture(scope="module")
def callers(cloud: Bench, running: RunningKeystone) -> dict[str, User]:
    return {
        "none": user(cloud, ""),
        "garbage": user(cloud, "gAAAAAB" + "x" * 200),
        "reader": user(cloud, running.token("reader").value),
        "member": cloud.demo,
        "admin": cloud.admin,
        "other": cloud.other,
    }


@pytest.fixture(scope="module")
def server(cloud: Bench, callers: dict[str, User]) -> str:
    made = callers["member"].boot(cloud.image)
    callers["member"].wait(made, "ACTIVE")
    return made


def asked(caller: User, operation: str, server: str, new: str) -> int:
    method, path, body = SAMPLE[operation]
    if operation == "flavors.create":
        body = {"flavor": FLAVOR["flavor"] | {"name": new}}
    return caller.ask(method, path.format(server=server), body).status


@pytest.mark.parametrize("operation", SAMPLE)
def test_every_role_gets_what_the_table_says(callers: dict[str, User], server: str, operation: str) -> None:
    wanted = {role: expected()[operation][role] for role in ROLES}
    found = {role: asked(callers[role], operation, server, f"{operation}-{role}") for role in ROLES}
    assert found == wanted


def test_a_revoked_token_is_none(cloud: Bench, running: RunningKeystone, server: str) -> None:
    token = running.token("demo").value
    caller = user(cloud, token)
    assert asked(caller, "servers.show", server, "") == 200
    request("DELETE", f"{running.url}/auth/tokens", token=token, headers={"X-Subject-Token": token})
    for operation in SAMPLE:
        assert asked(caller, operation, server, operation) == 401
