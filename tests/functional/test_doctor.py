"""The check of a whole cloud: nothing to say of a sound one, and each thing that is wrong is found."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from nova import ids
from nova.audit.checker import Checker
from nova.audit.hosts import Agents, twice
from nova.clock import Clock
from nova.db import fixed_ips, instances, owners, workflows
from nova.db.instances import Swap
from nova.objects.holdings import GuestHoldings, HeldGuest
from nova.objects.network import FixedIp, Topology
from nova.objects.workflow import WorkflowState
from nova.rpc.contracts.compute import Compute
from nova.rpc.contracts.network import NetworkHost
from tests.contract.db.makers import workflow
from tests.support.cloud import Bench, eventually, running_cloud
from tests.support.workflows import world_of


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with running_cloud(tmp_path_factory.mktemp("doctor"), hosts=2, topology=Topology.NONE) as found:
        yield found


@pytest.fixture
def server(bench: Bench) -> Iterator[str]:
    made = bench.demo.boot(bench.image, networks="auto")
    bench.demo.wait(made, "ACTIVE")
    yield made
    bench.demo.ask("DELETE", f"/servers/{made}")
    bench.demo.wait_gone(made)


def checker(bench: Bench, lease_s: float = 2.0) -> Checker:
    around = bench.cloud.surroundings
    agents = Agents(around.client(Compute), around.client(NetworkHost), patience_s=5)
    return Checker(world_of(bench).db, Clock(), lease_s=lease_s, agents=agents)


def fake_world(bench: Bench) -> Any:
    compute = next(d for d in bench.cloud.daemons if d.name == "nova-compute")
    agent: Any = compute.parts.services[0]
    return next(iter(agent.hosts.values())).driver._world


def rules(bench: Bench) -> set[str]:
    return {found.rule for found in checker(bench).judge(wait_s=0.1)}


def test_a_sound_cloud_is_told_so(bench: Bench, server: str) -> None:
    eventually(lambda: checker(bench).judge(wait_s=0.1) == [])
    bench.demo.act(server, "os-stop")
    bench.demo.wait(server, "SHUTOFF")
    eventually(lambda: checker(bench).judge(wait_s=0.1) == [])


def test_a_guest_that_is_lost_or_too_many_is_found(bench: Bench, server: str) -> None:
    world = fake_world(bench)
    (guest,) = world.books().guests
    world._leave(guest)
    assert rules(bench) == {"guest-missing"}
    other = next(host for host in world._hosts if host != guest.host)
    stranger = msgspec.structs.replace(guest, host=other)
    world._enter(stranger)
    assert rules(bench) == {"guest-missing", "guest-of-none"}
    world._leave(stranger)
    world._enter(guest)
    assert rules(bench) == set()


def test_a_guest_that_two_hosts_have_is_found() -> None:
    guest = HeldGuest(instance_id=ids.new_uuid())
    told = [GuestHoldings(host=host, guests=(guest,)) for host in ("a", "b")]
    (found,) = twice(told)
    assert (found.rule, found.subject) == ("guest-twice", guest.instance_id)


def test_what_a_guest_holds_is_compared(bench: Bench, server: str) -> None:
    world = fake_world(bench)
    (guest,) = world.books().guests
    world._guests[guest.id] = msgspec.structs.replace(guest, disks=("other",), vifs=())
    assert rules(bench) == {"disks", "ports", "addresses"}
    world._guests[guest.id] = guest
    assert rules(bench) == set()


def test_a_destroy_nobody_asked_for_is_found(bench: Bench) -> None:
    server = bench.demo.boot(bench.image, networks="auto")
    bench.demo.wait(server, "ACTIVE")
    world = fake_world(bench)
    (guest,) = world.books().guests
    world.destroy(guest.host, guest.id, "somebody felt like it")
    assert rules(bench) == {"guest-missing", "destroyed-unasked"}
    bench.demo.ask("DELETE", f"/servers/{server}")
    bench.demo.wait_gone(server)
    assert rules(bench) == {"destroyed-unasked"}
    world._destroyed.clear()
    assert rules(bench) == set()


def test_a_host_that_does_not_answer_is_found(bench: Bench) -> None:
    silent = Agents(
        bench.cloud.surroundings.client(Compute), bench.cloud.surroundings.client(NetworkHost), patience_s=0.0
    )
    found = Checker(world_of(bench).db, Clock(), lease_s=1.0, agents=silent).judge(wait_s=0.0)
    assert {one.rule for one in found} == {"host-silent"}
    assert {one.subject for one in found} == {"one", "one-1", "one-2"}


def test_work_of_a_dead_conductor_is_found(bench: Bench, server: str) -> None:
    """A conductor that never was holds the work; the living one takes it over only after a lease."""
    db = world_of(bench).db
    row = workflow(
        instance_id=server, kind="act", action="stop", owner="nobody", state=WorkflowState.READY,
        project_id="demo", input=b'{"action":"stop","vm_before":"active","power_before":1}',
    )  # fmt: skip
    db.run(lambda tx: owners.beat(tx, "nobody", "nowhere"))
    db.run(lambda tx: workflows.insert(tx, [row]))
    found = checker(bench).judge(wait_s=0.1)
    assert [one.subject for one in found if one.rule == "stuck"] == [row.id]
    eventually(lambda: checker(bench).judge(wait_s=0.1) == [])


def test_an_address_given_to_nobody_is_found(bench: Bench, server: str) -> None:
    db = world_of(bench).db
    held: list[FixedIp] = db.read(lambda tx: fixed_ips.of_instances(tx, [server]))
    vifs = db.read(lambda tx: instances.get(tx, server)).vifs  # type: ignore[union-attr]
    db.run(lambda tx: instances.swap(tx, [Swap(id=server, vifs=())]))
    assert held
    assert rules(bench) >= {"addresses"}
    db.run(lambda tx: instances.swap(tx, [Swap(id=server, vifs=vifs)]))
    assert rules(bench) == set()


def doctor(bench: Bench, *words: str) -> tuple[int, str]:
    """Run the command as an operator does."""
    config = f"{bench.conf.state_path}/nova.conf"
    program = [sys.executable, "-m", "nova.cmd.manage.main", "--config-file", config, "doctor", "--wait", "0"]
    done = subprocess.run([*program, *words], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout


def test_the_command_tells_by_words_json_and_exit_code(bench: Bench, server: str) -> None:
    code, told = doctor(bench)
    assert (code, told.splitlines()[-1]) == (0, "All is well.")
    assert "live in one process" in told
    db = world_of(bench).db
    db.run(lambda tx: tx.change_by("UPDATE compute_nodes SET used_vcpus = used_vcpus + 1", []))
    code, told = doctor(bench, "--json")
    report = json.loads(told)
    assert {found["rule"] for found in report["findings"]} == {"claims"}
    assert (code, report["hosts_asked"]) == (1, False)
    code, told = doctor(bench, "--books-only")
    assert code == 1
    assert told.startswith("claims: ")
    db.run(lambda tx: tx.change_by("UPDATE compute_nodes SET used_vcpus = used_vcpus - 1", []))
