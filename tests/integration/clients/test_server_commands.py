"""Servers through the stock command lines: ``openstack`` and ``nova`` against fake hosts."""

from __future__ import annotations

import base64
import itertools
from pathlib import Path

import pytest

from tests.support import netns
from tests.support.clients import Clients
from tests.support.eventually import eventually

pytestmark = [
    pytest.mark.skipif(not netns.CAN_MAKE, reason="network namespaces need root"),
    pytest.mark.timeout(1500),
]

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ5MBGyFXAi2CP9jWjbB1mKCgE3cEYzMjBDEcYzfLRCa me@home"
SMALL = "--image tiny --flavor m1.nano"
_numbers = itertools.count(1)


def a_name(stem: str) -> str:
    return f"{stem}-{next(_numbers)}"


def show(cli: Clients, server: str, user: str = "demo") -> dict:
    return cli.json(f"openstack server show {server}", user)


def wait(cli: Clients, server: str, status: str) -> dict:
    """Wait until a server has a status and nothing is under way."""

    def there() -> dict | None:
        found = show(cli, server)
        assert found["status"] == status or found["status"] != "ERROR", found
        return found if found["status"] == status and not found["OS-EXT-STS:task_state"] else None

    return eventually(there, within_s=60)


def test_openstack_creates_a_server_with_all_that_can_be_said(cli: Clients, tmp_path: Path) -> None:
    (tmp_path / "key.pub").write_text(KEY)
    (tmp_path / "data").write_text("#!/bin/sh\necho hello\n")
    cli(f"openstack keypair create --public-key {tmp_path}/key.pub said")
    made = cli.json(
        f"openstack server create {SMALL} --key-name said --nic auto"
        f" --user-data {tmp_path}/data --use-config-drive --property role=web --property tier=1"
        " --tag blue --tag fast --description 'the first of its kind' --hostname web-1"
        " --availability-zone nova --wait said"
    )
    shown = show(cli, made["id"], "admin")
    assert shown["status"] == "ACTIVE" and shown["name"] == "said" and shown["key_name"] == "said"
    assert shown["properties"] == {"role": "web", "tier": "1"} and sorted(shown["tags"]) == ["blue", "fast"]
    assert shown["description"] == "the first of its kind" and shown["config_drive"] == "True"
    assert shown["OS-EXT-SRV-ATTR:hostname"] == "web-1" and shown["security_groups"] == [{"name": "default"}]
    assert base64.b64decode(shown["OS-EXT-SRV-ATTR:user_data"]) == b"#!/bin/sh\necho hello\n"
    assert list(shown["addresses"]) == ["private"] and shown["image"].startswith("tiny (")
    assert show(cli, "said")["OS-EXT-SRV-ATTR:host"] is None, "a member is not told of hosts"
    cli("openstack server delete --wait said")
    cli("openstack keypair delete said")


def test_nova_boots_several_at_once_with_disks(cli: Clients) -> None:
    cli(
        "nova boot --flavor m1.disks --nic auto --meta role=db --tags one,two --min-count 2 --max-count 3"
        " --image tiny --ephemeral size=1,format=ext4 --swap 64 --poll trio"
    )
    listed = {row["Name"]: row["ID"] for row in cli.json("openstack server list --name ^trio-")}
    assert sorted(listed) == ["trio-1", "trio-2", "trio-3"]
    for name in listed:
        assert wait(cli, name, "ACTIVE")["properties"] == {"role": "db"}
    assert "3 disks" in cli("nova console-log trio-2"), "root, ephemeral and swap"
    assert "one" in cli("nova server-tag-list trio-3")
    cli("nova delete trio-1 trio-2 trio-3")
    eventually(lambda: cli.json("openstack server list --name ^trio-") == [], within_s=60)


def test_networks_none_auto_and_by_name(cli: Clients) -> None:
    for words, networks in (
        ("--nic none", []),
        ("--nic auto", ["private"]),
        ("--network private", ["private"]),
    ):
        name = a_name("net")
        made = cli.json(f"openstack server create {SMALL} {words} --wait {name}")
        assert list(made["addresses"]) == networks
        cli(f"openstack server delete --wait {name}")
    cli(f"nova boot {SMALL} --nic auto --poll by-nova")
    address = show(cli, "by-nova")["addresses"]["private"][0]
    assert address in cli(f"nova list --ip ^{address}$") and "by-nova" not in cli("nova list --ip ^10.99")
    assert "by-nova" in cli(f"openstack server list --ip {address}")
    cli("openstack server delete --wait by-nova")


def test_the_administrator_places_servers(cli: Clients) -> None:
    for words, host in (
        ("--availability-zone nova:vm-2", "2"),
        ("--host vm-1", "1"),
        ("--hypervisor-hostname vm-3", "3"),
    ):
        hosts = [row["Hypervisor Hostname"] for row in cli.json("openstack hypervisor list", "admin")]
        there = next(name for name in hosts if name.endswith(f"-{host}"))
        name = a_name("placed")
        words = words.replace(f"vm-{host}", there)
        cli(f"openstack server create {SMALL} --nic none {words} --wait {name}", "admin")
        assert show(cli, name, "admin")["OS-EXT-SRV-ATTR:host"] == there
        cli(f"openstack server delete --wait {name}", "admin")
    said = cli.refused(f"openstack server create {SMALL} --nic none --host {there} --wait forbidden")
    assert "403" in said


@pytest.fixture(scope="module")
def four(cli: Clients) -> list[str]:
    """Four servers of different kinds, by name."""
    cli(f"openstack server create {SMALL} --nic none --tag red --tag big --wait list-a")
    cli(f"openstack server create {SMALL} --nic none --tag red --wait list-b")
    cli("openstack server create --image tiny --flavor m1.tiny --nic none --wait list-c")
    cli(f"nova boot {SMALL} --nic none --poll list-d")
    cli("nova stop list-d")
    cli("openstack server lock --reason 'not yours' list-b")
    wait(cli, "list-d", "SHUTOFF")
    return ["list-a", "list-b", "list-c", "list-d"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("--status SHUTOFF", "d"),
        ("--status ACTIVE", "abc"),
        ("--flavor m1.tiny", "c"),
        ("--image tiny", "abcd"),
        ("--tags red", "ab"),
        ("--tags red,big", "a"),
        ("--not-tags big", "bcd"),
        ("--locked", "b"),
        ("--unlocked", "acd"),
        ("--no-name-lookup", "abcd"),
        ("--changes-before 2000-01-01T00:00:00Z", ""),
        ("--changes-since 2000-01-01T00:00:00Z", "abcd"),
        ("--limit 2", "dc"),
    ],
)
def test_openstack_lists_what_was_asked_for(cli: Clients, four: list[str], words: str, found: str) -> None:
    rows = cli.json(f"openstack server list --name ^list- {words}")
    letters = [row["Name"].removeprefix("list-") for row in rows]
    assert "".join(sorted(letters)) == "".join(sorted(found))


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("--sort display_name:desc", "dcba"),
        ("--sort display_name:asc --limit 2", "ab"),
        ("--sort vm_state:desc,display_name:asc", "dabc"),
        ("--sort created_at:asc", "abcd"),
        ("--tags-any big,red --sort display_name", "ba"),
        ("--not-tags-any big,red --sort display_name", "dc"),
        ("--status SHUTOFF --minimal", "d"),
        ("--locked True", "b"),
    ],
)
def test_nova_lists_in_the_order_asked_for(cli: Clients, four: list[str], words: str, found: str) -> None:
    lines = cli(f"nova list --name ^list- {words}").splitlines()
    names = [word for line in lines for word in line.split() if word.startswith("list-")]
    assert "".join(name.removeprefix("list-") for name in names) == found


def test_pages_follow_each_other(cli: Clients, four: list[str]) -> None:
    seen, marker = [], ""
    while True:
        page = cli.json(f"openstack server list --name ^list- --sort-column Name --limit 1 {marker}")
        if not page:
            break
        seen.append(page[0]["Name"])
        marker = f"--marker {page[0]['ID']}"
    assert sorted(seen) == four
    older = cli(f"nova list --name ^list- --marker {show(cli, 'list-b')['id']}")
    assert "list-a" in older and "list-c" not in older, "newest first"
    everybody = cli.json("openstack server list --all-projects --name ^list-", "admin")
    assert len(everybody) == 4 and cli.json("openstack server list --name ^list-", "alt_demo") == []


def test_a_server_is_changed(cli: Clients) -> None:
    cli(f"openstack server create {SMALL} --nic auto --wait changed")
    cli("openstack server set --property a=1 --property b=2 --tag x --description other changed")
    cli("openstack server unset --property a changed")
    shown = show(cli, "changed")
    assert shown["properties"] == {"b": "2"} and shown["tags"] == ["x"] and shown["description"] == "other"
    cli("nova meta changed set c=3")
    cli("nova meta changed delete b")
    cli("nova server-tag-add changed y z")
    cli("nova server-tag-delete changed x")
    shown = show(cli, "changed")
    assert shown["properties"] == {"c": "3"} and sorted(shown["tags"]) == ["y", "z"]
    cli("nova server-tag-set changed q")
    assert show(cli, "changed")["tags"] == ["q"]
    cli("nova server-tag-delete-all changed")
    cli("openstack server set --name renamed changed")
    cli("nova update --name again --description '' renamed")
    shown = show(cli, "again")
    assert shown["tags"] == [] and not shown["description"]
    assert "default" in cli("nova list-secgroup again")
    cli("nova remove-secgroup again default")
    cli("nova add-secgroup again default")
    assert show(cli, "again")["security_groups"] == [{"name": "default"}]
    assert "No Server found" in cli.refused("openstack server show changed")
    cli("openstack server delete --force --wait again")


ACTIONS = (
    ("openstack server stop {}", "SHUTOFF"),
    ("openstack server start {}", "ACTIVE"),
    ("openstack server pause {}", "PAUSED"),
    ("openstack server unpause {}", "ACTIVE"),
    ("openstack server suspend {}", "SUSPENDED"),
    ("openstack server resume {}", "ACTIVE"),
    ("openstack server reboot --wait {}", "ACTIVE"),
    ("openstack server reboot --hard --wait {}", "ACTIVE"),
    ("nova stop {}", "SHUTOFF"),
    ("nova start {}", "ACTIVE"),
    ("nova pause {}", "PAUSED"),
    ("nova unpause {}", "ACTIVE"),
    ("nova suspend {}", "SUSPENDED"),
    ("nova resume {}", "ACTIVE"),
    ("nova reboot --poll {}", "ACTIVE"),
    ("nova reboot --hard --poll {}", "ACTIVE"),
)


def test_every_action_leads_where_it_should_and_is_written_down(cli: Clients) -> None:
    cli(f"openstack server create {SMALL} --nic none --wait acted")
    for command, status in ACTIONS:
        cli(command.format("acted"))
        wait(cli, "acted", status)
    assert "409" in cli.refused("openstack server start acted") and "409" in cli.refused("nova unpause acted")
    events = cli.json("openstack server event list acted")
    assert [event["Action"] for event in events][::-1] == [
        "create", "stop", "start", "pause", "unpause", "suspend", "resume", "reboot", "reboot",
        "stop", "start", "pause", "unpause", "suspend", "resume", "reboot", "reboot",
    ]  # fmt: skip
    request, server = events[-1]["Request ID"], show(cli, "acted")["id"]
    shown = cli.json(f"openstack server event show {server} {request}", "admin")
    assert shown["action"] == "create" and {event["result"] for event in shown["events"]} == {"Success"}
    assert "stop" in cli("nova instance-action-list acted")
    assert "create" in cli(f"nova instance-action acted {request}")
    cli("openstack server delete --wait acted")


def test_locks_states_consoles_and_snapshots(cli: Clients) -> None:
    cli(f"openstack server create {SMALL} --nic none --wait kept")
    cli("nova lock --reason mine kept", "demo")
    assert show(cli, "kept")["locked_reason"] == "mine"
    cli("openstack server unlock kept")
    cli("openstack server lock kept")
    cli("nova unlock kept")
    assert "403" in cli.refused("nova reset-state kept")
    server = show(cli, "kept")["id"]
    cli(f"openstack server set --state error --auto-approve {server}", "admin")
    assert show(cli, "kept")["status"] == "ERROR"
    cli(f"nova reset-state --active {server}", "admin")
    wait(cli, "kept", "ACTIVE")
    assert "kept is up" in cli("openstack console log show kept")
    assert "login" in cli("nova console-log --length 3 kept")
    link = cli.json("openstack console url show --novnc kept")
    assert link["type"] == "novnc" and "token" in link["url"]
    assert "novnc" in cli("nova get-vnc-console kept novnc")
    cli("openstack server image create --name shot --wait kept")
    assert cli.json("openstack image show shot")["status"] == "active"
    cli("nova image-create --poll --metadata why=test kept shot-2")
    cli("openstack server create --image shot-2 --flavor m1.nano --nic none --wait from-shot")
    assert show(cli, "from-shot")["image"].startswith("shot-2 (")
    cli("openstack image delete shot shot-2")
    cli("nova force-delete kept")
    cli("openstack server delete --wait from-shot")


def test_what_cannot_be_done_is_told_in_the_clients_words(cli: Clients) -> None:
    assert "No server" in cli.refused("nova show nothing")
    assert "Quota exceeded" in cli.refused(
        f"openstack server create {SMALL} --nic none --min 101 --max 101 x"
    )
    said = cli.refused("openstack server create --image tiny --flavor nothing --nic none x")
    assert "nothing" in said
    assert "403" in cli.refused(f"openstack server create {SMALL} --nic none x", "reader")
    assert "first" in cli("nova list", "reader")
    said = cli.refused("nova boot --image tiny --flavor m1.nano --nic none --availability-zone moon x")
    assert "The requested availability zone is not available" in said
