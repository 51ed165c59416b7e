"""Sixty-four clients at the last unit of everything that runs out: exactly one wins, round after round.

Through the API of a whole cloud with two schedulers, on a database that lets transactions meet (SQLite does
not).  Never two, and never none after the winner gave back what it had won.  By hand: ``NOVA_RACE_ROUNDS=20
NOVA_RACE_DATABASES=sqlite,mariadb,postgresql``.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import os
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from nova import concurrency, ids
from nova.db import networks
from nova.objects.ids import NetworkId
from nova.objects.network import Network, Topology
from nova.virt.fake.store import read_books
from tests.support import invariants
from tests.support.cloud import DAEMONS, Answer, Bench, eventually, running_cloud
from tests.support.crowd import Client, Crowd
from tests.support.databases import Databases
from tests.support.microversions import NEWEST
from tests.support.workflows import world_of

BY_HAND = int(os.environ.get("NOVA_RACE_ROUNDS", "0"))
ROUNDS = BY_HAND or (20 if concurrency.mode() == concurrency.EVENTLET else 5)
SERVER_ROUNDS = BY_HAND or 2
"""Rounds in which every loser is a server that ends in ERROR and is deleted."""
DATABASES_USED = os.environ.get("NOVA_RACE_DATABASES", "mariadb").split(",")
EXTRA = """
[DEFAULT]
cpu_allocation_ratio = 1.0
ram_allocation_ratio = 1.0
disk_allocation_ratio = 1.0
reserved_host_memory_mb = 0
[fake]
world = {world}
vcpus = 500
ram_mb = 500000
disk_gb = 5000
"""
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ5Q0Yt0kAXDNmjvUzqVZk1VYhJSFF9yv1mDhbNKPXRl me"


class Arena:
    """A cloud, a crowd, and what was made."""

    def __init__(self, bench: Bench, crowd: Crowd, world: pathlib.Path) -> None:
        self.bench = bench
        self.crowd = crowd
        self.world = world

    def limit(self, project: str, **limits: int) -> None:
        """Give a project its limits; all others are open."""
        whole = {"instances": -1, "cores": -1, "ram": -1} | limits
        answer = self.bench.admin.ask("PUT", f"/os-quota-sets/{project}", {"quota_set": whole}, version="2.1")
        assert answer.status == 200, answer

    def ask(self, project: str, method: str, path: str, body: Any = None, version: str = NEWEST) -> Answer:
        """Ask as the user of a project."""
        return Client(self.bench.port).ask(f"u:{project}", method, path, body, version=version)

    def wish(self, name: str, flavor: str = "1", **more: Any) -> dict[str, Any]:
        """Return the body of a create."""
        server = {"name": name, "imageRef": self.bench.image, "flavorRef": flavor, "networks": "none"}
        hints = more.pop("hints", None)
        body: dict[str, Any] = {"server": server | more}
        return body | {"os:scheduler_hints": hints} if hints else body

    def settled(self, project: str) -> list[dict[str, Any]]:
        """Wait until no server of a project is under way; return them."""

        def idle() -> list[dict[str, Any]] | None:
            found: list[dict[str, Any]] = self.servers(project)
            busy = [s["id"] for s in found if s["OS-EXT-STS:task_state"] is not None]
            assert not busy, f"{len(busy)} servers are busy"
            return found

        return eventually(idle, timeout_s=120, pause_s=0.2) or []

    def servers(self, project: str) -> list[dict[str, Any]]:
        """Return the servers of a project."""
        found: list[dict[str, Any]] = self.ask(project, "GET", "/servers/detail").body["servers"]
        return found

    def clear(self, project: str) -> None:
        """Delete the servers of a project and wait until they are gone."""
        found = self.servers(project)

        def delete(client: Client, number: int) -> Answer:
            answer = Answer(204, {}, b"")
            for server in found[number :: self.crowd.size]:
                answer = client.ask(f"u:{project}", "DELETE", f"/servers/{server['id']}")
            return answer

        assert {a.status for a in self.crowd.race(delete)} == {204}
        eventually(lambda: self.servers(project) == [], timeout_s=120, pause_s=0.2)


@pytest.fixture(scope="module", params=DATABASES_USED)
def arena(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, databases: Databases
) -> Iterator[Arena]:
    home = tmp_path_factory.mktemp("arena")
    extra = EXTRA.format(world=home / "world")
    database = databases.url(request.param)
    daemons = (*DAEMONS, "nova-scheduler")
    with (
        running_cloud(home / "cloud", extra=extra, daemons=daemons, database=database) as bench,
        Crowd(bench.port) as crowd,
    ):
        for name, vcpus, ram, disk in (
            ("vcpus", 500, 1, 0), ("memory", 1, 500_000, 0), ("disk", 1, 1, 5000)
        ):  # fmt: skip
            flavor = {"name": name, "id": name, "vcpus": vcpus, "ram": ram, "disk": disk}
            assert bench.admin.ask("POST", "/flavors", {"flavor": flavor}).status == 200
        found = Arena(bench, crowd, home / "world")
        yield found
        db = world_of(bench).db
        invariants.check(bench, db, lambda: read_books(found.world), invariants.created(db))


# -- quotas ---------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Race:
    """Something of which a project may have one more."""

    name: str
    limit: int
    path: str
    body: Callable[[Arena, int, str], Any]
    version: str = NEWEST
    method: str = "POST"
    won: int = 200
    lost: int = 403


def _server(arena: Arena, number: int, place: str) -> Any:
    return arena.wish(f"s{number}", hints={"group": place} if place else None)


RACES = (
    Race("instances", 1, "/servers", _server, won=202),
    Race("cores", 1, "/servers", _server, won=202),
    Race("ram", 512, "/servers", _server, won=202),
    Race("server_group_members", 1, "/servers", _server, won=202),
    Race(
        "key_pairs", 1, "/os-keypairs", won=201,
        body=lambda _, n, __: {"keypair": {"name": f"k{n}", "public_key": KEY, "type": "ssh"}},
        version="2.91",
    ),
    Race(
        "server_groups", 1, "/os-server-groups",
        body=lambda _, n, __: {"server_group": {"name": f"g{n}", "policy": "affinity"}},
    ),
    Race(
        "security_groups", 2, "/os-security-groups", version="2.1",
        body=lambda _, n, __: {"security_group": {"name": f"g{n}", "description": "d"}},
    ),
    Race(
        "security_group_rules", 1, "/os-security-group-rules", version="2.1",
        body=lambda _, n, place: {"security_group_rule": {
            "parent_group_id": place, "ip_protocol": "tcp", "from_port": n + 1, "to_port": n + 1,
            "cidr": "10.0.0.0/8",
        }},
    ),
    Race(
        "metadata_items", 1, "/servers/{place}/metadata/k{number}", method="PUT",
        body=lambda _, n, __: {"meta": {f"k{n}": "v"}},
    ),
)  # fmt: skip


@pytest.mark.parametrize("race", RACES, ids=lambda race: race.name)
def test_the_last_unit_of_a_quota(arena: Arena, race: Race) -> None:
    project = f"quota-{race.name}"
    place = prepared(arena, race.name, project)
    arena.limit(project, **{race.name: race.limit})
    for round_ in range(ROUNDS):
        answers = arena.crowd.race(
            lambda client, n: client.ask(
                f"u:{project}",
                race.method,
                race.path.format(place=place, number=n),
                race.body(arena, n, place),
                version=race.version,
            )
        )
        winners = [n for n, a in enumerate(answers) if a.status == race.won]
        statuses = sorted({a.status for a in answers})
        assert len(winners) == 1, f"round {round_}: {len(winners)} won of {race.name}: {answers[:3]}"
        assert statuses == sorted({race.won, race.lost}), answers[:3]
        give_back(arena, race, project, place, winners[0], answers[winners[0]])
    arena.clear(project)


def prepared(arena: Arena, name: str, project: str) -> str:
    """Make what the race needs; return its id."""
    if name == "metadata_items":
        answer = arena.ask(project, "POST", "/servers", arena.wish("one"))
        arena.settled(project)
        return str(answer.body["server"]["id"])
    if name == "server_group_members":
        group = {"server_group": {"name": "g", "policy": "affinity"}}
        return str(arena.ask(project, "POST", "/os-server-groups", group).body["server_group"]["id"])
    if name == "security_groups":
        # The group that every project has is made first, then one beside it: one more is allowed.
        found = arena.ask(project, "GET", "/os-security-groups", version="2.1").body["security_groups"]
        assert [group["name"] for group in found] == ["default"]
        group = {"security_group": {"name": "first", "description": "d"}}
        assert arena.ask(project, "POST", "/os-security-groups", group, version="2.1").status == 200
        return ""
    if name == "security_group_rules":
        group = {"security_group": {"name": "g", "description": "d"}}
        answer = arena.ask(project, "POST", "/os-security-groups", group, version="2.1")
        return str(answer.body["security_group"]["id"])
    return ""


def give_back(arena: Arena, race: Race, project: str, place: str, number: int, answer: Answer) -> None:
    """Take the winner's prize away again."""
    if race.path == "/servers":
        arena.settled(project)
        arena.clear(project)
        return
    path = race.path.format(place=place, number=number)
    if race.method == "POST" and race.name != "key_pairs":
        path += "/" + str(next(iter(answer.body.values()))["id"])
    elif race.name == "key_pairs":
        path += f"/k{number}"
    gone = arena.ask(project, "DELETE", path, version=race.version)
    assert gone.status in (202, 204), gone


# -- hosts, addresses, groups ---------------------------------------------------------------------------


@pytest.mark.parametrize("scarce", ["vcpus", "memory", "disk", "address", "anti-affinity"])
def test_the_last_place_of_a_host_a_network_and_a_group(arena: Arena, scarce: str) -> None:
    project = f"last-{scarce}"
    arena.limit(project, server_group_members=-1)
    wish = wanted(arena, scarce, project)
    for round_ in range(SERVER_ROUNDS):
        answers = arena.crowd.race(lambda client, n: client.ask(f"u:{project}", "POST", "/servers", wish(n)))
        assert {a.status for a in answers} == {202}, answers[:3]
        servers = arena.settled(project)
        assert len(servers) == arena.crowd.size
        states = [s["status"] for s in servers]
        faults = {s["fault"]["message"] for s in servers if s["status"] == "ERROR"}
        assert states.count("ACTIVE") == 1, f"round {round_}: {states.count('ACTIVE')} won; {faults}"
        assert states.count("ERROR") == arena.crowd.size - 1
        assert all("No valid host was found" in f or "No fixed IP" in f or "address" in f for f in faults)
        arena.clear(project)


def test_the_last_address_of_a_quota(arena: Arena) -> None:
    """Addresses are counted when they are taken, so some losers are accepted first and end in ERROR."""
    project = "quota-addresses"
    wish = {"networks": [{"uuid": network_of(arena, "wide", "10.98.0.0/24", "10.98.0.2")}]}
    arena.limit(project, fixed_ips=1)
    for round_ in range(SERVER_ROUNDS):
        answers = arena.crowd.race(
            lambda client, n: client.ask(f"u:{project}", "POST", "/servers", arena.wish(f"s{n}", **wish))
        )
        accepted = [a for a in answers if a.status == 202]
        refused = [a for a in answers if a.status == 403]
        assert len(accepted) + len(refused) == arena.crowd.size, answers[:3]
        assert all("Quota exceeded for fixed_ips" in str(a.body) for a in refused)
        servers = arena.settled(project)
        assert len(servers) == len(accepted)
        faults = {s["fault"]["message"] for s in servers if s["status"] == "ERROR"}
        active = [s for s in servers if s["status"] == "ACTIVE"]
        assert len(active) == 1, f"round {round_}: {len(active)} won; {faults}"
        assert all("Quota exceeded for fixed_ips" in fault for fault in faults), faults
        arena.clear(project)


def network_of(arena: Arena, label: str, cidr: str, first: str) -> str:
    """Make a network that needs nothing of a host; return its id."""
    gateway = str(ipaddress.IPv4Network(cidr)[1])
    network = Network(
        id=NetworkId(ids.new_uuid()), label=label, cidr=cidr, gateway=gateway, dhcp_start=first,
        topology=Topology.NONE,
    )  # fmt: skip
    world_of(arena.bench).db.run(lambda tx: networks.insert(tx, network))
    return network.id


def wanted(arena: Arena, scarce: str, project: str) -> Callable[[int], dict[str, Any]]:
    """Return what each client asks for."""
    if scarce == "address":
        network = network_of(arena, "tiny", "10.99.0.0/30", "10.99.0.2")
        return lambda n: arena.wish(f"s{n}", networks=[{"uuid": network}])
    if scarce == "anti-affinity":
        group = {"server_group": {"name": "g", "policy": "anti-affinity"}}
        made = arena.ask(project, "POST", "/os-server-groups", group).body["server_group"]["id"]
        return lambda n: arena.wish(f"s{n}", hints={"group": made})
    return lambda n: arena.wish(f"s{n}", flavor=scarce)


# -- different things at once ---------------------------------------------------------------------------


def test_deletes_of_one_server_at_once(arena: Arena) -> None:
    some = boot(arena, "deletes", 4)
    answers = arena.crowd.race(
        lambda client, n: client.ask("u:deletes", "DELETE", f"/servers/{some[n % len(some)]}")
    )
    assert {a.status for a in answers} <= {204, 404}
    eventually(lambda: arena.servers("deletes") == [], timeout_s=60)
    for server in some:
        actions = arena.bench.admin.ask("GET", f"/servers/{server}/os-instance-actions")
        assert sorted(a["action"] for a in actions.body["instanceActions"]) == ["create", "delete"]


def test_delete_wins_over_stops_and_snapshots_at_once(arena: Arena) -> None:
    some = boot(arena, "mix", 8)
    bodies = ({"os-stop": None}, {"createImage": {"name": "x"}}, {"pause": None}, None)

    def ask(client: Client, number: int) -> Answer:
        server, body = some[number % 8], bodies[number // 8 % 4]
        if body is None:
            return client.ask("u:mix", "DELETE", f"/servers/{server}")
        return client.ask("u:mix", "POST", f"/servers/{server}/action", body)

    answers = arena.crowd.race(ask)
    assert {a.status for a in answers} <= {202, 204, 404, 409}, {a.status for a in answers}
    eventually(lambda: arena.servers("mix") == [], timeout_s=60)


def test_creates_while_a_host_is_disabled_and_zones_change(arena: Arena) -> None:
    admin = arena.bench.admin
    arena.limit("moving")
    (service,) = admin.ask("GET", "/os-services?binary=nova-compute").body["services"]
    aggregate = admin.ask("POST", "/os-aggregates", {"aggregate": {"name": "a", "availability_zone": "z"}})
    place = f"/os-aggregates/{aggregate.body['aggregate']['id']}/action"

    def ask(client: Client, number: int) -> Answer:
        if number % 16 == 0:
            status = "disabled" if number % 32 else "enabled"
            return client.ask("admin:admin", "PUT", f"/os-services/{service['id']}", {"status": status})
        if number % 16 == 1:
            word = "remove_host" if number % 32 == 1 else "add_host"
            return client.ask("admin:admin", "POST", place, {word: {"host": service["host"]}})
        return client.ask("u:moving", "POST", "/servers", arena.wish(f"s{number}"))

    try:
        answers = arena.crowd.race(ask)
        assert {a.status for a in answers} <= {200, 202, 404, 409}, {a.status for a in answers}
        servers = arena.settled("moving")
        assert len(servers) == sum(a.status == 202 for a in answers)
        assert {s["status"] for s in servers} <= {"ACTIVE", "ERROR"}
    finally:
        admin.ask("PUT", f"/os-services/{service['id']}", {"status": "enabled"})
        admin.ask("POST", place, {"remove_host": {"host": service["host"]}})
    arena.clear("moving")


def boot(arena: Arena, project: str, count: int) -> list[str]:
    """Make servers for a project and wait for them."""
    arena.limit(project)
    body = arena.wish("s")
    body["server"] |= {"min_count": count, "max_count": count}
    assert arena.ask(project, "POST", "/servers", body).status == 202
    return [s["id"] for s in arena.settled(project)]
