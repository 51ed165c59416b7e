"""Every door x every kind of caller, against a table for people: ``tests/golden/authorisation.txt``.

``NOVA_REGOLDEN=1`` writes the table anew; read its difference before it is committed.  A door that is not in
the table fails, so nothing becomes reachable by being forgotten.
"""

from __future__ import annotations

import http.client
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nova.api.compute import absent
from nova.api.wsgi.operation import Operation
from tests.security import recipes
from tests.security.doors import newest_version, registry
from tests.security.recipes import CANARY, Targets
from tests.support.cloud import Answer, Bench, User, running_cloud

GOLDEN = Path(__file__).parents[1] / "golden" / "authorisation.txt"
ROLES = ("none", "garbage", "reader", "member", "manager", "admin", "service", "other")
"""No token, one that nobody made; roles in the project that owns the target; a member of another project."""
TOKENS = {
    "admin:admin": ("admin", "admin", ["admin"]),
    "demo:demo": ("demo", "demo", ["member"]),
    "other:other": ("other", "other", ["member"]),
    "reader:demo": ("reader", "demo", ["reader"]),
    "manager:demo": ("manager", "demo", ["manager"]),
    "service:service": ("service", "service", ["service"]),
}
ECHO = re.compile(rf"Keypair {CANARY}-[0-9]+ not found for user other")
ABSENT = frozenset(operation.name for operation in absent.OPERATIONS)
OPERATIONS = [o for o in registry.operations() if not o.gone and o.name not in ABSENT]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    home = tmp_path_factory.mktemp("matrix")
    known = {
        token: {"user_id": user, "project_id": project, "roles": roles}
        for token, (user, project, roles) in TOKENS.items()
    }
    (home / "tokens.json").write_text(json.dumps({"tokens": known}))
    extra = (
        f"server_groups = 1000\nsecurity_groups = 1000\nkey_pairs = 1000\n[api]\nauth_strategy = static\n"
        f"[identity]\ntokens_file = {home}/tokens.json\n"
    )
    with running_cloud(home, extra=extra) as bench:
        yield bench


@pytest.fixture(scope="module")
def callers(cloud: Bench) -> dict[str, User]:
    users = {
        "admin": cloud.admin,
        "member": cloud.demo,
        "other": cloud.other,
        "reader": User(cloud.port, "reader", "demo"),
        "manager": User(cloud.port, "manager", "demo"),
        "service": User(cloud.port, "service", "service"),
        "none": User(cloud.port, "", ""),
        "garbage": User(cloud.port, "gAAAAAB" + "x" * 200, "demo"),
    }
    users["none"].token = ""
    return users


@pytest.fixture(scope="module")
def table(cloud: Bench, callers: dict[str, User]) -> dict[str, dict[str, Answer]]:
    """Ask everything as everybody."""
    targets, answers = Targets(cloud), {}
    for operation in OPERATIONS:
        version, row = str(newest_version(operation)), {}
        for role in ROLES:
            path = recipes.path_of(operation, targets)
            body = recipes.body_of(operation, targets, cloud.image)
            row[role] = callers[role].ask(operation.method, path, body, version=version)
            if row[role].status < 300 and operation.method != "GET":
                renew(operation, targets, cloud, row[role])
        answers[operation.name] = row
    return answers


def renew(operation: Operation, targets: Targets, cloud: Bench, answer: Answer) -> None:
    """Forget what the request may have changed, and what hangs on it."""
    kind = recipes.kind_of(operation)
    if recipes.recipe_name(operation) == "servers.create":
        made = answer.body["server"]["id"]
        cloud.admin.ask("DELETE", f"/servers/{made}")
    if kind == "server" and recipes.recipe_name(operation) in HARMLESS:
        return
    if kind is not None and operation.variables:
        targets.spoil(kind, *({"server": ("action", "token")}.get(kind, ())))
    if operation.name == "aggregates.add_host":
        for row in cloud.admin.ask("GET", "/os-aggregates").body["aggregates"]:
            if "one" in row["hosts"]:
                cloud.admin.ask(
                    "POST", f"/os-aggregates/{row['id']}/action", {"remove_host": {"host": "one"}}
                )


HARMLESS = frozenset(
    {
        "servers.update",
        "console_output.os-getConsoleOutput",
        "remote_consoles.create",
        "server_tags.update",
        "remote_consoles.os-getVNCConsole",
        "server_metadata.create",
        "server_metadata.update_all",
        "server_metadata.update",
        "server_tags.update_all",
        "admin_actions.injectNetworkInfo",
        "server_password.clear",
    }
)


def written(table: dict[str, dict[str, Answer]]) -> str:
    head = f"# {'operation':34} {'request':58} " + " ".join(f"{role:>7}" for role in ROLES)
    lines = [head]
    for operation in OPERATIONS:
        request = f"{operation.method} {operation.path}" + (
            f" {operation.action}" if operation.action else ""
        )
        cells = " ".join(f"{table[operation.name][role].status:7}" for role in ROLES)
        lines.append(f"{operation.name:36} {request:58} {cells}")
    return "\n".join(lines) + "\n"


def test_everybody_gets_what_the_table_says(table: dict[str, dict[str, Answer]]) -> None:
    text = written(table)
    if os.environ.get("NOVA_REGOLDEN"):
        GOLDEN.write_text(text)
    known = GOLDEN.read_text().splitlines()
    wrong = [line for line in text.splitlines() if line not in known]
    gone = [line for line in known if line not in text.splitlines()]
    assert not wrong and not gone, "\n".join(["now:", *wrong, "in the table:", *gone])


def test_nobody_is_served_without_a_token_of_ours(table: dict[str, dict[str, Answer]]) -> None:
    for name, row in table.items():
        assert (row["none"].status, row["garbage"].status) == (401, 401), name


def test_more_rights_never_mean_less(table: dict[str, dict[str, Answer]]) -> None:
    for name, row in table.items():
        if name.startswith("keypairs."):
            continue  # they belong to users, not to projects
        for weaker, stronger in (("reader", "member"), ("member", "manager"), ("member", "admin")):
            if row[weaker].status < 300:
                assert row[stronger].status < 300, f"{name}: {weaker} may, {stronger} may not"


@pytest.mark.parametrize("operation", absent.OPERATIONS, ids=lambda o: o.name)
def test_what_is_not_there_is_told_to_callers_with_a_token_only(
    operation: Operation, callers: dict[str, User]
) -> None:
    path = re.sub(r"{[^}]*}", "1", operation.path)
    body = {operation.action: None} if operation.action else {}
    version = str(newest_version(operation))
    told = [
        callers[role].ask(operation.method, path, body, version=version).status
        for role in ("none", "garbage", "member", "admin")
    ]
    assert told == [401, 401, 501, 501]


def test_readers_change_nothing(table: dict[str, dict[str, Answer]]) -> None:
    reading = {"console_output.os-getConsoleOutput"}
    for operation in OPERATIONS:
        if operation.method != "GET" and operation.name not in reading:
            status = table[operation.name]["reader"].status
            own = operation.name.startswith("keypairs.")
            assert status >= 400 or own, f"{operation.name}: {status}"


def test_no_other_project_sees_or_changes_a_thing(table: dict[str, dict[str, Answer]]) -> None:
    for operation in OPERATIONS:
        answer = table[operation.name]["other"]
        # A refusal may repeat the name that was asked for.
        assert CANARY not in ECHO.sub("", json.dumps(answer.body)), operation.name
        if operation.variables and recipes.kind_of(operation) in (
            "server",
            "keypair",
            "group",
            "rules",
            "rule",
            "image",
            "flavor",
            "token",
        ):
            assert answer.status in (400, 403, 404), f"{operation.name}: {answer}"


def test_the_old_endpoint_refuses_whom_the_new_one_refuses(
    table: dict[str, dict[str, Answer]], cloud: Bench, callers: dict[str, User]
) -> None:
    """``/v2`` is another door to the same rooms; refused requests change nothing and can be sent again."""
    targets = Targets(cloud)
    for operation in OPERATIONS:
        for role in ROLES:
            if table[operation.name][role].status not in (401, 403, 404):
                continue
            path, body = recipes.path_of(operation, targets), recipes.body_of(operation, targets, cloud.image)
            connection = http.client.HTTPConnection("127.0.0.1", cloud.port, timeout=60)
            headers = {"X-Auth-Token": callers[role].token, "Content-Type": "application/json"}
            connection.request(operation.method, f"/v2{path}", json.dumps(body) if body else None, headers)
            answer = connection.getresponse()
            said = answer.read().decode()
            assert answer.status >= 400, f"{operation.name} {role}: {answer.status} {said[:300]}"
            assert role != "other" or CANARY not in ECHO.sub("", said)
            connection.close()


FOREIGN: dict[str, Any] = {
    "image": lambda t: {"imageRef": t.get("image")},
    "flavor": lambda t: {"flavorRef": t.get("flavor")},
    "key pair": lambda t: {"key_name": t.get("keypair")},
    "security group by id": lambda t: {"networks": "auto", "security_groups": [{"name": t.get("rules")}]},
    "image of a disk": lambda t: {
        "block_device_mapping_v2": [
            {"boot_index": 0, "uuid": t.get("image"), "source_type": "image", "destination_type": "local"}
        ],
        "imageRef": t.get("image"),
    },
    "volume": lambda t: {
        "block_device_mapping_v2": [
            {"boot_index": 0, "uuid": recipes.NOBODY, "source_type": "volume", "destination_type": "volume"}
        ]
    },
    "snapshot": lambda t: {
        "block_device_mapping_v2": [
            {"boot_index": 0, "uuid": recipes.NOBODY, "source_type": "snapshot", "destination_type": "volume"}
        ]
    },
    "port": lambda t: {"networks": [{"port": recipes.NOBODY}]},
    "network": lambda t: {"networks": [{"uuid": recipes.NOBODY}]},
}


@pytest.mark.parametrize("where", FOREIGN)
def test_ids_of_others_in_a_body_are_unknown(cloud: Bench, where: str) -> None:
    targets = Targets(cloud)
    wish = {"name": "x", "imageRef": cloud.image, "flavorRef": "1", "networks": "none"} | FOREIGN[where](
        targets
    )
    answer = cloud.other.ask("POST", "/servers", {"server": wish})
    assert answer.status in (400, 403, 404), answer
    assert CANARY not in str(answer.body).replace(str(wish.get("key_name")), "")


def test_a_group_of_others_is_no_hint(cloud: Bench) -> None:
    targets = Targets(cloud)
    wish = {"name": "x", "imageRef": cloud.image, "flavorRef": "1", "networks": "none"}
    body = {"server": wish, "os:scheduler_hints": {"group": targets.get("group")}}
    assert cloud.other.ask("POST", "/servers", body).status in (400, 403, 404)


@pytest.mark.parametrize(
    "path",
    [
        "/servers?tenant_id=demo",
        "/servers/detail?project_id=demo",
        "/servers/detail?user_id=demo",
        "/servers/detail?all_tenants=1",
        "/servers/detail?name=canary",
        "/servers/detail?deleted=true",
        "/servers/detail?tags={canary}",
        "/servers/detail?uuid={server}",
        "/servers?marker={server}",
        "/servers/detail?changes-since=2000-01-01",
        "/os-keypairs?user_id=demo",
        "/os-keypairs/{key}?user_id=demo",
        "/limits?tenant_id=demo",
        "/os-server-groups?all_projects=1",
        "/os-quota-sets/demo?user_id=demo",
        "/os-simple-tenant-usage?detailed=1",
        "/os-simple-tenant-usage/demo?detailed=1",
        "/os-keypairs?marker={key}",
        "/os-hypervisors?with_servers=1",
        "/flavors/{flavor}",
    ],
)
def test_no_query_shows_what_belongs_to_others(cloud: Bench, path: str) -> None:
    targets = Targets(cloud)
    path = path.replace("{canary}", CANARY)
    for word, kind in (("server", "server"), ("key", "keypair"), ("flavor", "flavor")):
        if "{" + word + "}" in path:
            path = path.replace("{" + word + "}", targets.get(kind))
    answer = cloud.other.ask("GET", path)
    assert answer.status in (200, 400, 403, 404), answer
    said = ECHO.sub("", json.dumps(answer.body))
    if answer.status == 200:
        assert CANARY not in said, said
        assert '"demo"' not in said, said


@pytest.mark.parametrize("place", ["demo", "admin", "00000000-0000-0000-0000-000000000000"])
def test_a_project_in_the_path_must_be_the_callers(cloud: Bench, place: str) -> None:
    for version in ("v2.1", "v2"):
        connection = http.client.HTTPConnection("127.0.0.1", cloud.port, timeout=60)
        connection.request("GET", f"/{version}/{place}/servers", headers={"X-Auth-Token": cloud.other.token})
        answer = connection.getresponse()
        assert answer.status in (400, 404) and CANARY not in answer.read().decode()
        connection.close()


def test_claims_in_headers_are_not_believed(cloud: Bench) -> None:
    """What keystonemiddleware would set must not come from outside (identity headers of an old advisory)."""
    claims = {
        "X-Auth-Token": cloud.other.token,
        "X-Roles": "admin",
        "X-Role": "admin",
        "X-User-Id": "admin",
        "X-Project-Id": "demo",
        "X-Tenant-Id": "demo",
        "X-Identity-Status": "Confirmed",
        "X-Is-Admin-Project": "True",
        "X-Service-Roles": "service,admin",
        "X-Service-Identity-Status": "Confirmed",
        "X-User-Name": "admin",
        "X-Project-Name": "demo",
        "X-System-Scope": "all",
        "X-Domain-Id": "default",
    }
    for token in (cloud.other.token, "", "garbage"):
        connection = http.client.HTTPConnection("127.0.0.1", cloud.port, timeout=60)
        shown = claims | {"X-Auth-Token": token}
        connection.request("GET", "/v2.1/servers/detail?all_tenants=1", headers=shown)
        answer = connection.getresponse()
        said = answer.read().decode()
        assert answer.status == (403 if token == cloud.other.token else 401), said
        connection.close()
