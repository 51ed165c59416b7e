"""The audit finds what does not agree, and nothing else; purging takes only what is long gone."""

from __future__ import annotations

from typing import Any

import pytest

from nova import ids
from nova.db import (
    archive,
    audit,
    audit_history,
    console_tokens,
    fixed_ips,
    hosts,
    instances,
    jobs,
    networks,
    owners,
    quotas,
    server_groups,
    tags,
    workflows,
)
from nova.db.engine import Database, Tx
from nova.db.fixed_ips import AddressWant
from nova.db.hosts import Claim
from nova.db.instances import Swap
from nova.db.jobs import JobRow
from nova.objects.console import ConsoleAuthorization
from nova.objects.holdings import Destroyed
from nova.objects.instance import Instance
from nova.objects.network import Vif
from nova.objects.server_group import ServerGroup
from nova.objects.states import Vm
from nova.objects.workflow import WorkflowState
from tests.contract.db.makers import ShownClock, at, instance, inventory, network, workflow

GROUP = ServerGroup(id=ids.new_uuid(), name="g", policy="anti-affinity", project_id="p1", user_id="u1")


def boot(tx: Tx) -> Instance:
    """Do all that belongs to a living instance."""
    one = instance(host="h1", node="h1", server_group_id=GROUP.id, tags=("t",))
    net = network()
    instances.insert(tx, [one])
    quotas.reserve(tx, "p1", {"instances": 1, "cores": 1, "ram": 512}, {})
    hosts.report(tx, [inventory("h1")])
    hosts.claim(tx, [Claim(instance_id=one.id, host="h1", node="h1", vcpus=1, ram_mb=512, disk_gb=1)])
    networks.insert(tx, net)
    want = AddressWant(instance_id=one.id, vif_id=ids.new_uuid(), mac=ids.new_mac(), network_id=net.id)
    got = fixed_ips.allocate(tx, [want])
    vif = Vif(id=want.vif_id, mac=want.mac, network_id=net.id, label="private", addresses=got[want.vif_id])
    instances.swap(tx, [Swap(id=one.id, vifs=(vif,))])
    server_groups.insert(tx, GROUP)
    server_groups.join(tx, GROUP.id, [one.id])
    server_groups.occupy(tx, GROUP.id, one.id, "h1")
    access = ConsoleAuthorization(
        instance_id=one.id, protocol="vnc", type="novnc", host="h", port=1, expires_in_s=9
    )
    console_tokens.insert(tx, ids.new_token(), access)
    workflows.insert(tx, [workflow(instance_id=one.id)])
    return one


def rules(db: Database) -> set[str]:
    return {found.rule for found in db.read(audit.findings)}


def test_books_in_order_are_told_so(db: Database) -> None:
    db.run(boot)
    assert rules(db) == set()


def test_what_a_deleted_instance_leaves_behind_is_found(db: Database) -> None:
    one = db.run(boot)
    gone = Swap(id=one.id, vm=Vm.DELETED, task=None, deleted_at=at(1))
    db.run(lambda tx: instances.swap(tx, [gone]))
    assert rules(db) == {
        "quota", "claim-of-none", "address-of-none", "token-of-none", "work-on-none", "deleted-unasked",
    }  # fmt: skip


def test_wrong_books_are_found(db: Database) -> None:
    one = db.run(boot)

    def spoil(tx: Tx) -> None:
        tx.driver("UPDATE compute_nodes SET used_vcpus = 99", [])
        tx.driver("UPDATE server_group_hosts SET members = 2", [])
        tx.driver("DELETE FROM workflows", [])
        tx.driver("UPDATE allocations SET ram_mb = 1", [])
        tags.insert(tx, [(ids.new_uuid(), "x")])
        instances.swap(tx, [Swap(id=one.id, host="h2")])

    db.run(spoil)
    assert rules(db) == {
        "claims", "over-commit", "group", "busy-without-work", "tag-of-none", "unclaimed", "building-alone",
        "not-created-once", "claimed-otherwise",
    }  # fmt: skip
    assert {found.rule for found in db.read(audit.at_any_instant)} == {"over-commit"}


def test_addresses_that_are_shown_and_held_are_compared(db: Database) -> None:
    one = db.run(boot)
    db.run(lambda tx: fixed_ips.release(tx, [one.id]))
    (found,) = db.read(audit.findings)
    assert (found.rule, found.subject) == ("addresses", one.id)
    assert found.sentence.endswith("holds none.")


def job(number: int, workflow_id: str, **values: Any) -> JobRow:
    made = {
        "id": f"{workflow_id}:build:1:{number}", "workflow_id": workflow_id, "instance_id": ids.new_uuid(),
        "request_id": "req-1", "step": "build", "event": "e", "topic": "compute", "host": "h1",
        "started_at": at(0),
    }  # fmt: skip
    return JobRow(**(made | values))


def test_a_history_with_gaps_is_found(db: Database) -> None:
    one = db.run(boot)

    def spoil(tx: Tx) -> None:
        ended = workflow(instance_id=one.id, kind="act", action="stop", state=WorkflowState.DONE)
        begun = workflow(instance_id=one.id, kind="act", action="start")
        nothing = workflow(instance_id=ids.new_uuid(), state=WorkflowState.FAILED, finished_at=at(1))
        workflows.insert(tx, [ended, begun, nothing])
        late = job(1, begun.id, started_at=at(-1000), deadline_s=100.0)
        jobs.insert(tx, [job(2, ended.id), late, job(3, ids.new_uuid(), finished_at=at(1))])

    db.run(spoil)
    assert rules(db) == {
        "created-nothing", "two-at-once", "half-ended", "event-left-open", "event-without-end",
        "event-of-none", "late",
    }  # fmt: skip


@pytest.mark.parametrize(("leapt_s", "found"), [(0.0, {"late"}), (830.0, {"late"}), (850.0, set())])
def test_a_clock_that_was_set_makes_no_job_late(
    db: Database, clock: ShownClock, leapt_s: float, found: set[str]
) -> None:
    """It began 1000 s ago by the conductor and may take 100 s; the clock of the reader plays no part."""
    one = db.run(boot)
    (row,) = db.read(lambda tx: workflows.running_of(tx, [one.id]))
    db.run(lambda tx: jobs.insert(tx, [job(1, row.id, started_at=at(-1000), deadline_s=100.0)]))
    db.run(lambda tx: owners.beat(tx, "a", "h"))
    db.run(lambda tx: owners.beat(tx, "a", "h", leapt_s))
    clock.show(-3600)
    assert rules(db) == found


def test_destroying_needs_a_request(db: Database) -> None:
    one = db.run(boot)
    (row,) = db.read(lambda tx: workflows.running_of(tx, [one.id]))
    good = [
        row.request_id,
        f"undo of {row.request_id}",
        f"undo of job {row.id}:build:1:0",
        f"job {row.id}:x:1:0",
    ]
    bad = ["", "req-of-somebody", "because"]

    def found(reasons: list[str], instance_id: str = one.id) -> int:
        gone = [Destroyed(instance_id=instance_id, reason=reason) for reason in reasons]
        return len(db.read(lambda tx: list(audit_history.untraceable(tx, gone))))

    assert found(good) == 0
    assert found(bad) == len(bad)
    assert found(bad, ids.new_uuid()) == 0  # purged with its history


def test_purging_takes_what_is_long_gone(db: Database) -> None:
    one = db.run(boot)
    old = instance(deleted_at=at(-100), tags=("x",))
    young = instance(deleted_at=at(-1))
    db.run(lambda tx: instances.insert(tx, [old, young]))
    db.run(lambda tx: workflows.insert(tx, [workflow(instance_id=old.id)]))
    removed = db.run(lambda tx: archive.purge(tx, at(-10)))
    assert (removed["instances"], removed["workflows"], removed["instance_tags"]) == (1, 1, 1)
    assert db.run(lambda tx: archive.purge(tx, at(-10))) == {}
    found = db.read(lambda tx: instances.get_many(tx, [one.id, old.id, young.id]))
    assert set(found) == {one.id, young.id}
