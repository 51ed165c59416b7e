"""nova-scheduler with a real conductor on SQLite: what hosts report is what decisions are made on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nova.conductor import daemon as conductor
from nova.conf import load
from nova.context import system_context
from nova.daemon import Surroundings
from nova.db import migrate
from nova.db.configured import prepared_url
from nova.objects.host import ServiceBeat
from nova.objects.ids import HostName
from nova.rpc.client import Client
from nova.rpc.contracts.conductor import Conductor
from nova.rpc.contracts.scheduler import Scheduler
from nova.scheduler import daemon as scheduler
from tests.support.eventually import eventually
from tests.support.scheduling import flavor, request, view

CTX = system_context("req-test")


@pytest.fixture
def around(tmp_path: Path) -> Iterator[Surroundings]:
    conf = load([], files=[])
    conf.set_override("connection", f"sqlite:///{tmp_path}/nova.sqlite", group="database")
    conf.set_override("transport_url", f"memory:///{tmp_path.name}")
    conf.set_override("view_max_age", 0.1, group="scheduler")
    migrate.upgrade(prepared_url(conf))
    surroundings = Surroundings(conf, host="controller")
    daemons = [scheduler.make_daemon(surroundings), conductor.make_daemon(surroundings)]
    for daemon in daemons:
        daemon.start()
    for daemon in daemons:
        assert daemon.wait_serving(30), daemon.waiting_for
    yield surroundings
    for daemon in daemons:
        daemon.stop(10)
    surroundings.close()


def report(client: Client[Conductor], *hosts: str, **facts: object) -> None:
    """Say what nova-compute of these hosts would."""
    client.any.heartbeat(
        CTX, [ServiceBeat(host=HostName(h), binary="nova-compute", topic="compute") for h in hosts]
    )
    client.any.inventory(CTX, [view(h, **facts).inventory for h in hosts])


def test_hosts_that_report_are_chosen_and_disabled_ones_not(around: Surroundings) -> None:
    truth, chooser = around.client(Conductor), around.client(Scheduler)
    (decision,) = chooser.any.select(CTX, [request()])
    assert decision.explanation.sentence() == "No compute host is known yet."
    report(truth, "c1", "c2", vcpus=4)

    def chosen(count: int) -> list[str]:
        (decision,) = chooser.any.select(CTX, [request(count, flavor=flavor(vcpus=4))])
        return sorted(choice.host for choice in decision.choices)

    assert eventually(lambda: chosen(2)) == ["c1", "c2"]
    report(truth, "c3", vcpus=4)
    assert eventually(lambda: chosen(1)) == ["c3"]
    assert truth.any.list_services(CTX, None, "nova-scheduler")
    (service,) = truth.any.list_services(CTX, "c3", None)
    truth.any.update_service(CTX, service.id, True, "repair", None)

    def removed() -> bool:
        (decision,) = chooser.any.select(CTX, [request()])
        return any(
            v.name == "ComputeFilter" and v.before - v.after == 1 for v in decision.explanation.filters
        )

    eventually(removed)
