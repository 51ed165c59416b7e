"""The life of servers, over real HTTP, through all daemons."""

from __future__ import annotations

import pytest

from tests.support.cloud import Bench, eventually


def test_a_server_is_built_stopped_started_and_deleted(cloud: Bench) -> None:
    user = cloud.demo
    server = user.boot(cloud.image)
    found = user.wait(server, "ACTIVE")
    assert found["OS-EXT-STS:power_state"] == 1
    assert user.act(server, "os-stop").status == 202
    assert user.wait(server, "SHUTOFF")["OS-EXT-STS:power_state"] == 4
    assert user.act(server, "os-stop").status == 409
    assert user.act(server, "os-start").status == 202
    user.wait(server, "ACTIVE")
    assert user.ask("DELETE", f"/servers/{server}").status == 204
    user.wait_gone(server)


@pytest.mark.parametrize(
    ("action", "argument", "status", "back", "back_argument"),
    [
        ("pause", None, "PAUSED", "unpause", None),
        ("suspend", None, "SUSPENDED", "resume", None),
        ("reboot", {"type": "SOFT"}, "ACTIVE", "reboot", {"type": "HARD"}),
    ],
)
def test_actions_lead_where_the_table_says(
    cloud: Bench, action: str, argument: object, status: str, back: str, back_argument: object
) -> None:
    user = cloud.demo
    server = user.boot(cloud.image)
    user.wait(server, "ACTIVE")
    assert user.act(server, action, argument).status == 202
    user.wait(server, status)
    assert user.act(server, back, back_argument).status == 202
    user.wait(server, "ACTIVE")
    user.ask("DELETE", f"/servers/{server}")
    user.wait_gone(server)


def test_a_server_that_is_off_has_no_console(cloud: Bench) -> None:
    """That is a conflict with its state, not a failure of ours."""
    server = cloud.demo.boot(cloud.image)
    cloud.demo.wait(server, "ACTIVE")
    assert cloud.demo.act(server, "os-stop").status == 202
    cloud.demo.wait(server, "SHUTOFF")
    body = {"remote_console": {"protocol": "vnc", "type": "novnc"}}
    answer = cloud.demo.ask("POST", f"/servers/{server}/remote-consoles", body)
    assert answer.status == 409
    assert "no console" in answer.body["conflictingRequest"]["message"]
    assert cloud.demo.ask("DELETE", f"/servers/{server}").status == 204
    cloud.demo.wait_gone(server)


def test_a_network_gives_an_address(cloud: Bench) -> None:
    user = cloud.demo
    server = user.boot(cloud.image, networks="auto")
    found = user.wait(server, "ACTIVE")
    assert found["addresses"]["private"][0]["addr"].startswith("10.20.")
    user.ask("DELETE", f"/servers/{server}")
    user.wait_gone(server)


def test_many_at_once_are_spread_over_the_hosts(cloud: Bench) -> None:
    user = cloud.demo
    answer = user.ask(
        "POST",
        "/servers",
        {
            "server": {
                "name": "many",
                "imageRef": cloud.image,
                "flavorRef": "1",
                "networks": "none",
                "min_count": 30,
                "max_count": 30,
            }
        },
    )
    assert answer.status == 202, answer

    def all_active() -> bool:
        found = cloud.admin.ask("GET", "/servers/detail?all_tenants=1&name=many").body["servers"]
        return len(found) == 30 and all(s["status"] == "ACTIVE" for s in found)

    eventually(all_active)
    found = cloud.admin.ask("GET", "/servers/detail?all_tenants=1&name=many").body["servers"]
    assert len({s["OS-EXT-SRV-ATTR:host"] for s in found}) == 3
    for one in found:
        assert user.ask("DELETE", f"/servers/{one['id']}").status == 204
    eventually(lambda: not user.ask("GET", "/servers?name=many").body["servers"])


def test_no_valid_host_says_why(cloud: Bench) -> None:
    user = cloud.demo
    vast = {"name": "vast", "id": "vast", "ram": 9_000_000, "vcpus": 1, "disk": 1}
    assert cloud.admin.ask("POST", "/flavors", {"flavor": vast}).status == 200
    server = user.boot(cloud.image, flavor="vast")
    found = user.wait(server, "ERROR")
    assert found["fault"]["message"].startswith("No valid host was found.")
    assert user.ask("DELETE", f"/servers/{server}").status == 204
    user.wait_gone(server)


def test_a_zone_without_hosts_is_refused_at_once(cloud: Bench) -> None:
    wish = {"name": "a", "imageRef": cloud.image, "flavorRef": "1", "networks": "none"}
    answer = cloud.demo.ask("POST", "/servers", {"server": wish | {"availability_zone": "nowhere"}})
    assert answer.status == 400
    assert answer.body["badRequest"]["message"] == "The requested availability zone is not available"


def test_others_do_not_see_it(cloud: Bench) -> None:
    server = cloud.demo.boot(cloud.image)
    cloud.demo.wait(server, "ACTIVE")
    assert cloud.other.ask("GET", f"/servers/{server}").status == 404
    assert cloud.other.act(server, "os-stop").status == 404
    assert cloud.other.ask("DELETE", f"/servers/{server}").status == 404
    assert cloud.admin.ask("GET", f"/servers/{server}").status == 200
    cloud.demo.ask("DELETE", f"/servers/{server}")
    cloud.demo.wait_gone(server)


def test_the_history_of_a_server_is_told(cloud: Bench) -> None:
    user = cloud.demo
    server = user.boot(cloud.image)
    user.wait(server, "ACTIVE")
    user.act(server, "os-stop")
    user.wait(server, "SHUTOFF")
    actions = user.ask("GET", f"/servers/{server}/os-instance-actions").body["instanceActions"]
    assert [a["action"] for a in actions] == ["stop", "create"]
    request = actions[1]["request_id"]
    shown = cloud.admin.ask("GET", f"/servers/{server}/os-instance-actions/{request}").body
    events = {e["event"]: e["result"] for e in shown["instanceAction"]["events"]}
    assert events["compute__do_build_and_run_instance"] == "Success"
    user.ask("DELETE", f"/servers/{server}")
    user.wait_gone(server)
