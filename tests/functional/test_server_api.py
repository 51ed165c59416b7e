"""What clients ask about servers and what lies below them, over real HTTP, through all daemons."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.cloud import Bench, eventually


@pytest.fixture(scope="module")
def server(cloud: Bench) -> Iterator[str]:
    """A running server with a bit of everything."""
    user = cloud.demo
    made = user.boot(
        cloud.image,
        name="known",
        tags=["red", "blue"],
        metadata={"a": "b"},
        description="ours",
        accessIPv4="192.0.2.1",
        user_data="aGk=",
        networks="auto",
    )
    user.wait(made, "ACTIVE")
    yield made
    user.ask("DELETE", f"/servers/{made}")
    user.wait_gone(made)


def names(cloud: Bench, query: str, *, admin: bool = False) -> list[str]:
    answer = (cloud.admin if admin else cloud.demo).ask("GET", f"/servers/detail?{query}")
    assert answer.status == 200, answer
    return [row["name"] for row in answer.body["servers"]]


@pytest.mark.parametrize(
    "query",
    [
        "name=^kno",
        "status=active",
        "tags=red,blue",
        "tags-any=red,none",
        "not-tags=none",
        "locked=false",
        "ip=10%5C.20%5C.",
        "flavor=1",
        "power_state=1",
        "vm_state=active",
        "key_name=.*",
        "hostname=known",
        "user_id=demo",
        "config_drive=false",
        "changes-since=2020-01-01",
        "sort_key=display_name&sort_dir=asc&limit=1",
    ],
)
def test_filters_that_find_it(cloud: Bench, server: str, query: str) -> None:
    assert names(cloud, query) == ["known"]


@pytest.mark.parametrize(
    "query",
    ["name=^x", "status=ERROR", "tags=red,none", "not-tags-any=blue", "locked=true", "ip=172", "image=x"],
)
def test_filters_that_do_not(cloud: Bench, server: str, query: str) -> None:
    assert names(cloud, query) == []


@pytest.mark.parametrize(
    ("first", "query"),
    [
        ("2.5", "ip6=fe80"),
        ("2.26", "tags=none"),
        ("2.66", "changes-before=2020-01-01"),
        ("2.73", "locked=true"),
        ("2.83", "availability_zone=mars"),
        ("2.83", "user_id=nobody"),
        ("2.83", "vm_state=paused"),
        ("2.90", "hostname=nobody"),
    ],
)
def test_filters_count_from_their_version_on(cloud: Bench, server: str, first: str, query: str) -> None:
    """Before, they are dropped for callers without ``allow_all_filters``, so everything is found."""
    before = f"2.{int(first[2:]) - 1}"
    found = {
        version: len(cloud.demo.ask("GET", f"/servers?{query}", version=version).body["servers"])
        for version in (before, first)
    }
    assert found == {before: 1, first: 0}


@pytest.mark.parametrize(
    ("version", "query", "code"),
    [
        ("2.37", "status=nonsense", 200),
        ("2.38", "status=nonsense", 400),
        ("2.74", "foo=bar", 200),
        ("2.75", "foo=bar", 400),
        ("2.74", "sort_key=vcpus", 200),
        ("2.75", "sort_key=vcpus", 400),
        ("2.72", "sort_key=locked", 200),
        ("2.1", "sort_key=nonsense", 400),
        ("2.1", "sort_key=host", 403),
        ("2.1", "sort_dir=up", 400),
        ("2.1", "limit=0", 200),
        ("2.1", "limit=-1", 400),
        ("2.1", "marker=none", 400),
        ("2.1", "all_tenants", 403),
        ("2.1", "all_tenants=0", 200),
        ("2.1", "all_tenants=x", 400),
        ("2.1", "status=deleted", 403),
        ("2.1", "name=%5B", 400),
        ("2.1", "services=x", 400),
        ("2.1", "changes-since=soon", 400),
        ("2.66", "changes-since=2030-01-01T00:00:00Z&changes-before=2020-01-01T00:00:00Z", 400),
        # What Horizon sends for a user's list: three pairs, and a project that only operators choose.
        (
            "2.90",
            "limit=21&project_id=demo&sort_key=created_at&sort_key=display_name&sort_key=uuid"
            "&sort_dir=desc&sort_dir=asc&sort_dir=asc",
            200,
        ),
    ],
)
def test_lists_are_answered_or_refused(
    cloud: Bench, server: str, version: str, query: str, code: int
) -> None:
    assert cloud.demo.ask("GET", f"/servers/detail?{query}", version=version).status == code


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("access_ip_v4=192", True),
        ("access_ip_v4=10", False),
        ("access_ip_v6=fd", False),
        ("auto_disk_config=true", True),
        ("auto_disk_config=false", False),
        ("description=our", True),
        ("kernel_id=x", False),
    ],
)
def test_filters_of_administrators(cloud: Bench, server: str, query: str, found: bool) -> None:
    assert ("known" in names(cloud, f"all_tenants=1&{query}", admin=True)) is found


def test_metadata_and_tags(cloud: Bench, server: str) -> None:
    user, path = cloud.demo, f"/servers/{server}"
    assert user.ask("POST", f"{path}/metadata", {"metadata": {"c": "d"}}).body == {
        "metadata": {"a": "b", "c": "d"}
    }
    assert user.ask("PUT", f"{path}/metadata/c", {"meta": {"c": "e"}}).body == {"meta": {"c": "e"}}
    assert user.ask("DELETE", f"{path}/metadata/c").status == 204
    assert user.ask("DELETE", f"{path}/metadata/c").status == 404
    assert user.ask("GET", f"{path}/metadata").body == {"metadata": {"a": "b"}}
    assert user.ask("PUT", f"{path}/tags/green").status == 201
    assert user.ask("PUT", f"{path}/tags/green").status == 204
    assert user.ask("PUT", f"{path}/tags/gr%C3%BCn").status == 201
    assert user.server(server)["tags"][-1] == "grün"
    assert user.ask("GET", f"{path}/tags/green").status == 204
    assert user.ask("PUT", f"{path}/tags", {"tags": ["blue", "red"]}).status == 200
    assert user.ask("DELETE", f"{path}/tags/green").status == 404
    assert sorted(user.server(server)["tags"]) == ["blue", "red"]


def test_locks(cloud: Bench, server: str) -> None:
    user = cloud.demo
    assert user.act(server, "lock", {"locked_reason": "keep"}).status == 202
    found = user.server(server)
    assert (found["locked"], found["locked_reason"]) == (True, "keep")
    assert names(cloud, "locked=true") == ["known"]
    assert user.act(server, "pause").status == 409
    assert user.act(server, "unlock").status == 202
    assert cloud.admin.act(server, "lock").status == 202
    assert user.act(server, "unlock").status == 403
    assert cloud.admin.act(server, "unlock").status == 202


def test_changes(cloud: Bench, server: str) -> None:
    user = cloud.demo
    body = {"server": {"description": None, "accessIPv6": "fd00::7"}}
    changed = user.ask("PUT", f"/servers/{server}", body).body["server"]
    assert (changed["description"], changed["accessIPv6"]) == (None, "fd00::7")
    body = {"server": {"description": "ours"}}
    assert user.ask("PUT", f"/servers/{server}", body).body["server"]["description"] == "ours"


def test_history_has_the_create_with_its_events(cloud: Bench, server: str) -> None:
    path = f"/servers/{server}/os-instance-actions"
    created = cloud.demo.ask("GET", path).body["instanceActions"][-1]
    assert created["action"] == "create"
    shown = cloud.admin.ask("GET", f"{path}/{created['request_id']}").body["instanceAction"]
    assert shown["events"]
    assert all(event["result"] == "Success" for event in shown["events"])


def test_consoles_and_counters(cloud: Bench, server: str) -> None:
    user, path = cloud.demo, f"/servers/{server}"

    shown = user.act(server, "os-getConsoleOutput", {"length": 5})
    assert shown.status == 200, shown
    assert isinstance(shown.body["output"], str)
    body = {"remote_console": {"protocol": "vnc", "type": "novnc"}}
    link = user.ask("POST", f"{path}/remote-consoles", body)
    assert link.status == 200, link
    assert "token" in link.body["remote_console"]["url"]
    body = {"remote_console": {"protocol": "spice", "type": "spice-html5"}}
    assert user.ask("POST", f"{path}/remote-consoles", body).status == 400
    assert user.ask("GET", f"{path}/diagnostics").status == 403
    assert cloud.admin.ask("GET", f"{path}/diagnostics").body["state"] == "running"


def test_addresses_and_groups(cloud: Bench, server: str) -> None:
    path = f"/servers/{server}"
    (row,) = cloud.demo.ask("GET", f"{path}/ips/private").body["private"]
    assert row["version"] == 4
    (group,) = cloud.demo.ask("GET", f"{path}/os-security-groups").body["security_groups"]
    assert group["name"] == "default"
    assert cloud.demo.act(server, "addSecurityGroup", {"name": "none"}).status == 404


def test_an_image_of_it(cloud: Bench, server: str) -> None:
    user = cloud.demo
    answer = user.act(server, "createImage", {"name": "snap"})
    assert answer.status == 202, answer
    image = answer.body["image_id"]
    eventually(lambda: user.server(server)["OS-EXT-STS:task_state"] is None)
    listed = user.ask("GET", f"/images/detail?type=snapshot&server={server}", version="2.35").body["images"]
    assert [(one["id"], one["server"]["id"]) for one in listed] == [(image, server)]
    assert listed[0]["metadata"]["base_image_ref"] == cloud.image
    assert user.server(server)["status"] == "ACTIVE"


def test_others_do_not_see_it(cloud: Bench, server: str) -> None:
    assert cloud.other.ask("GET", f"/servers/{server}").status == 404
    assert cloud.other.act(server, "os-stop").status == 404
    assert cloud.other.ask("GET", "/servers").body == {"servers": []}
    assert cloud.admin.ask("GET", f"/servers/{server}").body["server"]["OS-EXT-SRV-ATTR:host"]


def test_pages_are_complete_and_follow_their_links(cloud: Bench) -> None:
    user = cloud.other
    body = {
        "server": {
            "name": "page",
            "imageRef": cloud.image,
            "flavorRef": "1",
            "networks": "none",
            "min_count": 5,
        }
    }
    assert user.ask("POST", "/servers", body).status == 202
    seen: list[str] = []
    path = "/servers?limit=2&sort_key=display_name&sort_dir=asc"
    while path:
        answer = user.ask("GET", path).body
        seen += [row["name"] for row in answer["servers"]]
        links = answer.get("servers_links")
        path = links[0]["href"].partition("/v2.1")[2] if links else ""
    assert seen == [f"page-{n}" for n in range(1, 6)]
    for row in user.ask("GET", "/servers").body["servers"]:
        user.ask("DELETE", f"/servers/{row['id']}")
        user.wait_gone(row["id"])
