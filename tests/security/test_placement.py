"""Where servers go is the scheduler's to say: no words of a member bring them elsewhere, or tell of hosts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.cloud import Bench, User, eventually, running_cloud

HOSTS = ("one-1", "one-2", "one-3")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with running_cloud(tmp_path_factory.mktemp("placement"), hosts=3) as bench:
        yield bench


def boot(cloud: Bench, user: User, hints: dict[str, Any] | None = None, **more: Any) -> str:
    wish = {"name": "x", "imageRef": cloud.image, "flavorRef": "1", "networks": "none"} | more
    answer = user.ask("POST", "/servers", {"server": wish, "OS-SCH-HNT:scheduler_hints": hints or {}})
    assert answer.status == 202, answer
    return str(answer.body["server"]["id"])


def ended(user: User, server: str) -> dict[str, Any]:
    """Wait until a server is built or has failed."""
    eventually(lambda: user.server(server)["status"] in ("ACTIVE", "ERROR"))
    return user.server(server)


def host_of(cloud: Bench, server: str) -> str | None:
    found = cloud.admin.server(server)["OS-EXT-SRV-ATTR:host"]
    return None if found is None else str(found)


INTERNAL = [
    {"_nova_check_type": ["rebuild"]},
    {"_nova_check_type": "rebuild", "force_hosts": ["one-2"]},
    {"force_hosts": ["one-2"], "force_nodes": ["one-2"]},
    {"requested_destination": "one-2", "host": "one-2", "node": "one-2"},
    {"target_host": "one-2", "ignore_hosts": ["one-1"], "retry": "1"},
    {"group": None} | {"limits": "none"},
]


def test_hints_are_no_orders(cloud: Bench) -> None:
    """Hints that are words of the system's own (an advisory of 2026) take servers past no filter."""
    rows = cloud.admin.ask("GET", "/os-services?binary=nova-compute").body["services"]
    others = [row for row in rows if row["host"] != "one-1"]
    assert len(rows) == 3 and len(others) == 2
    for row in others:
        answer = cloud.admin.ask("PUT", f"/os-services/{row['id']}", {"status": "disabled"})
        assert answer.status == 200, answer
    try:
        for hints in INTERNAL:
            hints = {key: value for key, value in hints.items() if value is not None}
            server = boot(cloud, cloud.demo, hints)
            assert ended(cloud.demo, server)["status"] == "ACTIVE", hints
            assert host_of(cloud, server) == "one-1", hints
    finally:
        for row in others:
            cloud.admin.ask("PUT", f"/os-services/{row['id']}", {"status": "enabled"})


def test_nobody_is_led_to_the_servers_of_others(cloud: Bench) -> None:
    """A hint that names a server of another project finds nothing, as if there were no such server."""
    theirs = boot(cloud, cloud.other)
    own = boot(cloud, cloud.demo)
    for user, server in ((cloud.other, theirs), (cloud.demo, own)):
        assert ended(user, server)["status"] == "ACTIVE"
    beside_own = boot(cloud, cloud.demo, {"same_host": [own]})
    assert ended(cloud.demo, beside_own)["status"] == "ACTIVE"
    assert host_of(cloud, beside_own) == host_of(cloud, own)
    thief = boot(cloud, cloud.demo, {"same_host": [theirs]})
    found = ended(cloud.demo, thief)
    assert found["status"] == "ERROR" and "No valid host" in found["fault"]["message"]


@pytest.mark.parametrize("hints", [["same_host", "different_host"], ["same_host"]], ids=str)
def test_faults_name_no_host_to_members(cloud: Bench, hints: list[str]) -> None:
    own = boot(cloud, cloud.demo)
    assert ended(cloud.demo, own)["status"] == "ACTIVE"
    more = {} if len(hints) > 1 else {"flavorRef": huge(cloud)}
    failed = boot(cloud, cloud.demo, {hint: [own] for hint in hints}, **more)
    found = ended(cloud.demo, failed)
    assert found["status"] == "ERROR"
    told = f"{found['fault']}"
    for server in (own, failed):
        actions = cloud.demo.ask("GET", f"/servers/{server}/os-instance-actions").body["instanceActions"]
        path = f"/servers/{server}/os-instance-actions/{actions[0]['request_id']}"
        told += str(cloud.demo.ask("GET", path).body)
    assert not [host for host in HOSTS if host in told], told


def test_a_group_tells_no_host_either(cloud: Bench) -> None:
    body = {"server_group": {"name": "g", "policy": "affinity"}}
    group = cloud.demo.ask("POST", "/os-server-groups", body).body["server_group"]["id"]
    first = boot(cloud, cloud.demo, {"group": group})
    assert ended(cloud.demo, first)["status"] == "ACTIVE"
    failed = ended(cloud.demo, boot(cloud, cloud.demo, {"group": group, "different_host": [first]}))
    assert failed["status"] == "ERROR" and "No valid host" in failed["fault"]["message"]
    assert not [host for host in HOSTS if host in failed["fault"]["message"]], failed["fault"]


def huge(cloud: Bench) -> str:
    """Return a flavor that no host has room for."""
    body = {"flavor": {"id": "huge", "name": "huge", "ram": 10**6, "vcpus": 1, "disk": 1}}
    assert cloud.admin.ask("POST", "/flavors", body).status in (200, 409)
    return "huge"
