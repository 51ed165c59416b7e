"""Every form of a create request, at old and new microversions: what it leads to, or why it is refused."""

from __future__ import annotations

import http.client
import json
from typing import Any

import pytest

from tests.support.cloud import Bench, User, eventually

NOBODY = "12345678-1234-4234-8234-123456789abc"
NONE = {"networks": "none"}
FILE = {"path": "/etc/motd", "contents": "aGk="}

SIX = [FILE | {"path": f"/{n}"} for n in range(6)]
MANY_ITEMS = dict.fromkeys(map(str, range(129)), "v")
OUTSIDE = {"networks": [{"uuid": "{net}", "fixed_ip": "192.0.2.7"}]}
OTHER_FAMILY = {"networks": [{"uuid": "{net}", "fixed_ip": "fd00::7"}]}
GATEWAY = {"networks": [{"uuid": "{net}", "fixed_ip": "10.20.0.1"}]}
BROADCAST = {"networks": [{"uuid": "{net}", "fixed_ip": "10.20.255.255"}]}
TWICE = {"networks": [{"uuid": "{net}", "fixed_ip": "10.20.0.78"}] * 2}


def wished(cloud: Bench, changes: dict[str, Any]) -> dict[str, Any]:
    """Return a body: a plain server with changes; None takes a key out, ``{net}`` is the network's id."""
    net = cloud.demo.ask("GET", "/os-networks", version="2.1").body["networks"][0]["id"]
    server = {"name": "form", "imageRef": cloud.image, "flavorRef": "1"} | changes
    server = {key: value for key, value in server.items() if value is not None}
    if isinstance(server.get("networks"), list):
        rows = server["networks"]
        server["networks"] = [{key: value.format(net=net) for key, value in row.items()} for row in rows]
    return {"server": server}


def made(cloud: Bench, version: str, changes: dict[str, Any], who: str = "demo") -> dict[str, Any]:
    """Create a server; return it when nothing is under way any more, and take it away."""
    user: User = getattr(cloud, who)
    answer = user.ask("POST", "/servers", wished(cloud, changes), version=version)
    assert answer.status == 202, answer
    name = answer.body["server"]["id"]
    eventually(lambda: user.server(name)["OS-EXT-STS:task_state"] is None)
    found: dict[str, Any] = cloud.admin.server(name)
    user.ask("DELETE", f"/servers/{name}")
    user.wait_gone(name)
    return found


GOOD = [
    # Version, who, changes, what the server shows then.
    ("2.1", "demo", {}, {"status": "ACTIVE", "OS-EXT-AZ:availability_zone": "nova"}),
    ("2.104", "demo", {"networks": [{"uuid": "{net}", "fixed_ip": "10.20.0.77"}]}, {"addr": ["10.20.0.77"]}),
    ("2.104", "demo", {"networks": []}, {"addresses": 1}),
    ("2.42", "demo", {"networks": [{"uuid": "{net}", "tag": "lan"}]}, {"addresses": 1}),
    ("2.104", "demo", NONE | {"flavorRef": "http://any/v2/flavors/1"}, {"status": "ACTIVE"}),
    ("2.90", "demo", NONE | {"hostname": "own"}, {"OS-EXT-SRV-ATTR:hostname": "own"}),
    ("2.94", "demo", NONE | {"hostname": "a.example.org"}, {"OS-EXT-SRV-ATTR:hostname": "a.example.org"}),
    ("2.74", "admin", NONE | {"host": "one-2"}, {"OS-EXT-SRV-ATTR:host": "one-2"}),
    ("2.74", "admin", NONE | {"hypervisor_hostname": "one-3"}, {"OS-EXT-SRV-ATTR:host": "one-3"}),
    ("2.1", "admin", {"availability_zone": "nova:one-2"}, {"OS-EXT-SRV-ATTR:host": "one-2"}),
    ("2.1", "admin", {"availability_zone": "nova:one-2:one-2"}, {"OS-EXT-SRV-ATTR:host": "one-2"}),
    ("2.1", "admin", {"availability_zone": "nova::one-3"}, {"OS-EXT-SRV-ATTR:host": "one-3"}),
    ("2.52", "demo", NONE | {"tags": ["a", "a", "b"]}, {"tags": ["a", "b"]}),
    ("2.104", "demo", NONE | {"config_drive": "yes"}, {"config_drive": "True"}),
    ("2.104", "demo", NONE | {"config_drive": False}, {"config_drive": ""}),
    ("2.56", "demo", NONE | {"personality": [FILE]}, {"status": "ACTIVE"}),
    ("2.104", "demo", NONE | {"OS-DCF:diskConfig": "MANUAL"}, {"OS-DCF:diskConfig": "MANUAL"}),
    ("2.104", "demo", NONE | {"name": "été ☃"}, {"name": "été ☃"}),
    ("2.18", "demo", {}, {"description": "form"}),
    ("2.19", "demo", {}, {"description": None}),
]


@pytest.mark.parametrize(("version", "who", "changes", "shown"), GOOD, ids=lambda value: str(value)[:40])
def test_forms_that_are_right(
    cloud: Bench, version: str, who: str, changes: dict[str, Any], shown: dict[str, Any]
) -> None:
    found = made(cloud, version, changes, who)
    addresses = [row["addr"] for rows in found["addresses"].values() for row in rows]
    seen = found | {"addr": addresses, "addresses": len(addresses)}
    assert {key: seen[key] for key in shown} == shown


REFUSED = [
    # Version, who, changes, code, a part of the message.
    ("2.37", "demo", {}, 400, '"networks" is a required property'),
    ("2.36", "demo", {"networks": "auto"}, 400, "networks"),
    ("2.1", "demo", {"networks": [{"uuid": "abc"}]}, 400, "network uuid is not in proper format (abc)"),
    ("2.37", "demo", {"networks": [{"uuid": "{net}", "tag": "a"}]}, 400, "networks"),
    ("2.104", "demo", {"networks": [{"uuid": NOBODY}]}, 400, f"Network {NOBODY} could not be found"),
    ("2.104", "demo", {"networks": [{"port": NOBODY}]}, 400, f"Port id {NOBODY} could not be found"),
    ("2.104", "demo", OUTSIDE, 400, "does not belong to network"),
    ("2.104", "demo", OTHER_FAMILY, 400, "does not belong to network"),
    ("2.104", "demo", NONE | {"imageRef": NOBODY}, 400, "Can not find requested image"),
    ("2.104", "demo", NONE | {"imageRef": ""}, 400, "Invalid imageRef provided"),
    ("2.104", "demo", NONE | {"imageRef": None}, 400, "Missing imageRef attribute"),
    ("2.104", "demo", NONE | {"flavorRef": "99"}, 400, "Flavor 99 could not be found"),
    ("2.104", "demo", NONE | {"key_name": "none"}, 400, "Invalid key_name provided"),
    ("2.104", "demo", NONE | {"security_groups": [{"name": "none"}]}, 400, "Unable to find security_group"),
    ("2.89", "demo", NONE | {"hostname": "own"}, 400, "hostname"),
    ("2.93", "demo", NONE | {"hostname": "a.example.org"}, 400, "hostname"),
    ("2.90", "demo", NONE | {"hostname": "own", "min_count": 2}, 400, "single hostname"),
    ("2.73", "admin", NONE | {"host": "one-2"}, 400, "host"),
    ("2.74", "demo", NONE | {"host": "one-2"}, 403, "requested_destination"),
    ("2.74", "admin", NONE | {"host": "nohost"}, 400, "Compute host nohost could not be found"),
    ("2.74", "admin", NONE | {"host": "one-1", "hypervisor_hostname": "x"}, 400, "host x could not be found"),
    ("2.104", "admin", NONE | {"availability_zone": "nova:nohost"}, 400, "host nohost could not be found"),
    ("2.104", "admin", NONE | {"availability_zone": "nova:one-1:x"}, 400, "host x could not be found"),
    ("2.104", "admin", NONE | {"availability_zone": "nova::x"}, 400, "Compute host x could not be found"),
    ("2.74", "admin", NONE | {"hypervisor_hostname": "nonode"}, 400, "host nonode could not be found"),
    ("2.74", "admin", NONE | {"host": "one-1", "hypervisor_hostname": "one-2"}, 400, "could not be found"),
    ("2.74", "admin", NONE | {"host": "one-1", "availability_zone": "nova:one-2"}, 400, "cannot be combined"),
    ("2.1", "demo", {"availability_zone": "nova:one-2"}, 403, "forced_host"),
    ("2.1", "admin", {"availability_zone": "a:b:c:d"}, 400, "Invalid availability_zone format"),
    ("2.1", "demo", {"availability_zone": "mars"}, 400, "availability zone is not available"),
    ("2.42", "demo", {"networks": [{"uuid": "{net}", "tag": "a"}] * 2}, 400, "Tag 'a' is given to more"),
    ("2.51", "demo", NONE | {"tags": ["a"]}, 400, "tags"),
    ("2.104", "demo", NONE | {"tags": [f"t{n}" for n in range(51)]}, 400, "tags"),
    ("2.62", "demo", NONE | {"trusted_image_certificates": [NOBODY]}, 400, "trusted_image_certificates"),
    ("2.63", "demo", NONE | {"trusted_image_certificates": [NOBODY]}, 400, "not validated in this cloud"),
    ("2.104", "demo", NONE | {"config_drive": ""}, 400, "config_drive"),
    ("2.104", "demo", NONE | {"user_data": "!!"}, 400, "user_data"),
    ("2.104", "demo", NONE | {"user_data": "QUFB" * 16384}, 400, "user_data"),
    ("2.104", "demo", GATEWAY, 400, "10.20.0.1 is already in use"),
    ("2.104", "demo", BROADCAST, 400, "10.20.255.255 does not belong"),
    ("2.104", "demo", TWICE, 400, "10.20.0.78 is already in use"),
    ("2.57", "demo", NONE | {"personality": [FILE]}, 400, "personality"),
    ("2.1", "demo", {"personality": [{"contents": "aGk="}]}, 400, "path"),
    ("2.1", "demo", {"personality": [{"path": "/etc/motd"}]}, 400, "contents"),
    ("2.1", "demo", {"personality": SIX}, 403, "file limit exceeded"),
    ("2.1", "demo", {"personality": [FILE | {"path": "/" + "a" * 255}]}, 403, "file path exceeds"),
    ("2.1", "demo", {"personality": [FILE | {"contents": "QUFB" * 3414}]}, 403, "content limit exceeded"),
    (
        "2.1",
        "demo",
        {"block_device_mapping": [{"volume_id": NOBODY, "device_name": "vda"}]},
        400,
        "volumes are not available",
    ),
    (
        "2.104",
        "demo",
        NONE | {"block_device_mapping_v2": [{"boot_index": 0, "uuid": NOBODY, "source_type": "volume"}]},
        400,
        "volumes are not available",
    ),
    ("2.104", "demo", NONE | {"min_count": 3, "max_count": 2}, 400, "min_count must be <= max_count"),
    (
        "2.104",
        "demo",
        {"max_count": 2, "networks": [{"uuid": "{net}", "fixed_ip": "10.20.0.9"}]},
        400,
        "single fixed IP",
    ),
    ("2.1", "demo", {"name": " padded "}, 400, "name"),
    ("2.104", "demo", NONE | {"metadata": MANY_ITEMS}, 403, "exceeds 128"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("version", "who", "changes", "code", "words"), REFUSED, ids=lambda value: str(value)[:40]
)
def test_forms_that_are_refused(
    cloud: Bench, version: str, who: str, changes: dict[str, Any], code: int, words: str
) -> None:
    user: User = getattr(cloud, who)
    answer = user.ask("POST", "/servers", wished(cloud, changes), version=version)
    assert answer.status == code, answer
    ((key, fault),) = answer.body.items()
    assert key == {400: "badRequest", 403: "forbidden"}[code]
    assert words in fault["message"]


def test_the_legacy_endpoint_forgives(cloud: Bench) -> None:
    """``/v2`` takes padded names, unknown keys, and knows no microversions."""
    connection = http.client.HTTPConnection("127.0.0.1", cloud.port, timeout=60)
    body = wished(cloud, {"name": " padded ", "whatever": 1})
    headers = {"X-Auth-Token": "demo:demo", "Content-Type": "application/json"}
    connection.request("POST", "/v2/demo/servers", json.dumps(body), headers)
    answer = connection.getresponse()
    name = json.loads(answer.read())["server"]["id"]
    connection.close()
    assert answer.status == 202
    assert "OpenStack-API-Version" not in dict(answer.getheaders())
    assert answer.getheader("Location").endswith(f"/v2/demo/servers/{name}")
    assert cloud.demo.server(name)["name"] == "padded"
    cloud.demo.ask("DELETE", f"/servers/{name}")
    cloud.demo.wait_gone(name)
