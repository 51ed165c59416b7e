from __future__ import annotations

import contextlib
from typing import Any

import msgspec
import pytest

from nova import ids
from nova.conductor.endpoints.consoles import ConsoleTokensEndpoint
from nova.conductor.endpoints.host_reports import HostReportsEndpoint
from nova.conductor.endpoints.hosts import HostsEndpoint
from nova.conductor.engine.step import Run
from nova.conductor.reconcile.recover import Recover
from nova.conductor.relay import hosts as relay
from nova.conductor.services import instances as servers
from nova.conductor.workflows.delete import destroy
from nova.conductor.workflows.inputs import DeleteInput
from nova.conductor.world import World
from nova.context import RequestContext
from nova.db import console_tokens, instances
from nova.db.workflows import WorkflowRow
from nova.errors.admin import (
    AggregateExists,
    AggregateHostExists,
    AggregateHostNotFound,
    AggregateNotFound,
    AggregateRefused,
    ComputeHostNotFound,
    HypervisorNotFound,
    ServiceInUse,
    ServiceNotFound,
)
from nova.errors.database import MarkerNotFound
from nova.errors.servers import InstanceChanged, InstanceNotFound, ServiceDown
from nova.objects.console import ConsoleAuthorization
from nova.objects.host import Service, ServiceBeat
from nova.objects.ids import ProjectId, UserId, WorkflowId
from nova.objects.instance import Instance
from nova.objects.page import Page
from nova.objects.states import Vm
from nova.objects.workflow import WorkflowState
from tests.unit.conductor.services.makers import THEN, instance, inventory


class Endpoint(HostsEndpoint, HostReportsEndpoint, ConsoleTokensEndpoint):
    def __init__(self, world: World) -> None:
        self.world = world
        self._recover = Recover(world)

    def watch(self) -> None:
        """See the counters, as the loop of a conductor does."""
        self._recover.watch_services()


ADMIN = RequestContext(request_id="req-1", user_id="u0", project_id="p0", is_admin=True)


@pytest.fixture
def hosts(world: World) -> Endpoint:
    made = Endpoint(world)
    made.heartbeat(ADMIN, [beat("h1"), beat("h2"), beat("net", "nova-network")])
    made.inventory(ADMIN, [inventory("h1"), inventory("h2")])
    return made


def beat(host: str, binary: str = "nova-compute") -> ServiceBeat:
    return ServiceBeat(host=host, binary=binary, topic=binary.removeprefix("nova-"), version=1)


def service_of(hosts: Endpoint, host: str) -> Service:
    (found,) = hosts.list_services(ADMIN, host, None)
    return found


def workflow_of(guest: Instance) -> WorkflowRow:
    return WorkflowRow(
        id=WorkflowId(ids.new_uuid()), kind="delete", action="delete", instance_id=guest.id,
        request_id="req-1", user_id=UserId("u1"), project_id=ProjectId("p1"), state=WorkflowState.READY,
        started_at=THEN, updated_at=THEN,
    )  # fmt: skip


def diagnostics_are_asked_for(world: World, guest: Instance) -> bool:
    heard: Any = world.compute
    heard.calls.clear()
    try:
        relay.diagnostics(world, ADMIN, guest.id)
    except ServiceDown:
        assert heard.calls == []
        return False
    return [call[:2] for call in heard.calls] == [("h1", "diagnostics")]


def advance(hosts: Endpoint, seconds: float) -> None:
    clock: Any = hosts.world.clock
    clock.advance(seconds)


class TestServices:
    def test_services_that_beat_are_up(self, hosts: Endpoint) -> None:
        assert all(s.is_up for s in hosts.list_services(ADMIN, None, None)), "fresh ones, never observed"
        hosts.watch()
        advance(hosts, 50)
        hosts.heartbeat(ADMIN, [beat("h1")])
        hosts.watch()
        advance(hosts, 50)
        assert [(s.host, s.is_up) for s in hosts.list_services(ADMIN, None, "nova-compute")] == [
            ("h1", True),
            ("h2", False),
        ]

    def test_one_never_observed_is_judged_by_its_last_beat(self, hosts: Endpoint) -> None:
        advance(hosts, 61)
        assert not service_of(hosts, "h1").is_up

    @pytest.mark.parametrize("jump", [3600, -3600])
    def test_one_never_observed_is_up_though_the_clock_was_set_since(
        self, hosts: Endpoint, jump: int
    ) -> None:
        clock: Any = hosts.world.clock
        clock.look()  # as each beat of a conductor does
        clock.jump(jump)
        hosts.world.liveness.services.observe([], whole=True)
        try:
            assert service_of(hosts, "h1").is_up
        finally:
            clock.jump(-jump)

    def test_a_conductor_that_just_started_believes_a_host_that_beat(self, hosts: Endpoint) -> None:
        world = hosts.world
        guest = instance(host="h1")
        world.db.run(lambda tx: instances.insert(tx, [guest]))
        run = Run(row=workflow_of(guest), input=DeleteInput(reason="req-1"), notes={}, instance=guest)

        def waits() -> bool:
            run.orders.clear()
            world.db.run(lambda tx: destroy(world, tx, [run]))
            return run.orders[0].waits

        world.liveness.services.observe([], whole=True)
        assert waits(), "it was never watched, and its last beat is fresh"
        assert servers.show(world, ADMIN, guest.id).host_status == "UP"
        assert diagnostics_are_asked_for(world, guest)
        advance(hosts, 61)
        assert not waits()
        assert servers.show(world, ADMIN, guest.id).host_status == "DOWN"
        assert not diagnostics_are_asked_for(world, guest)

    def test_disable_enable_and_force_down(self, hosts: Endpoint) -> None:
        one = service_of(hosts, "h1")
        shown = hosts.update_service(ADMIN, one.id, True, "broken fan", None)
        assert shown.disabled and shown.disabled_reason == "broken fan" and shown.is_up
        assert msgspec.structs.replace(shown, updated_at=None) == msgspec.structs.replace(
            service_of(hosts, "h1"), updated_at=None
        )
        shown = hosts.update_service(ADMIN, str(one.number), False, None, True)
        assert not shown.disabled and shown.disabled_reason is None
        assert shown.forced_down and not shown.is_up
        for unknown in ("nope", "999", "9" * 40):
            with pytest.raises(ServiceNotFound):
                hosts.update_service(ADMIN, unknown, None, None, None)

    def test_a_host_with_servers_is_not_forgotten(self, hosts: Endpoint) -> None:
        one = service_of(hosts, "h1")
        group = hosts.create_aggregate(ADMIN, "rack", None)
        hosts.add_aggregate_host(ADMIN, group.id, "h1")
        guest = instance()
        hosts.world.db.run(lambda tx: instances.insert(tx, [guest]))
        with pytest.raises(ServiceInUse):
            hosts.delete_service(ADMIN, one.id)
        hosts.delete_service(ADMIN, service_of(hosts, "h2").id)
        assert [h.inventory.host for h in hosts.list_hypervisors(ADMIN, Page(), None, False)] == ["h1"]
        gone = instances.Swap(id=guest.id, deleted_at=hosts.world.clock.now(), vm=Vm.DELETED)
        hosts.world.db.run(lambda tx: instances.swap(tx, [gone]))
        hosts.delete_service(ADMIN, one.id)
        assert hosts.show_aggregate(ADMIN, group.id).hosts == ()
        with pytest.raises(ServiceNotFound):
            hosts.delete_service(ADMIN, one.id)


class TestHostViews:
    def test_changes_follow_the_whole(self, hosts: Endpoint) -> None:
        whole = hosts.host_views(ADMIN, None)
        assert whole.whole and [(v.host, v.up, v.enabled) for v in whole.hosts] == [
            ("h1", True, True),
            ("h2", True, True),
        ]
        assert hosts.host_views(ADMIN, whole.position).hosts == ()
        hosts.update_service(ADMIN, service_of(hosts, "h2").id, True, None, None)
        later = hosts.host_views(ADMIN, whole.position)
        assert [(v.host, v.enabled) for v in later.hosts] == [("h2", False)]
        hosts.inventory(ADMIN, [inventory("h1"), inventory("h2")])
        assert hosts.host_views(ADMIN, later.position).hosts == (), "nothing new was reported"

    def test_hosts_that_go_and_come_back_are_shown(self, hosts: Endpoint) -> None:
        hosts.watch()
        first = hosts.host_views(ADMIN, None)
        advance(hosts, 50)
        hosts.heartbeat(ADMIN, [beat("h1")])
        hosts.watch()
        assert hosts.host_views(ADMIN, first.position).hosts == ()
        advance(hosts, 50)
        hosts.watch()
        gone = hosts.host_views(ADMIN, first.position)
        assert [(v.host, v.up) for v in gone.hosts] == [("h2", False)]
        advance(hosts, 50)
        hosts.watch()
        before = hosts.host_views(ADMIN, None)
        assert [v.up for v in before.hosts] == [False, False]
        hosts.heartbeat(ADMIN, [beat("h1")])
        hosts.watch()
        after = hosts.host_views(ADMIN, before.position)
        assert [(v.host, v.up) for v in after.hosts] == [("h1", True)]

    def test_schedulers_are_told_what_operators_change(self, hosts: Endpoint) -> None:
        heard: Any = hosts.world.scheduler
        position = hosts.host_views(ADMIN, None).position

        def told() -> int:
            calls, heard.calls = heard.calls, []
            for _, name, snapshot in calls:
                assert name == "hosts_changed" and snapshot.position > position + 1 and not snapshot.whole
            return len(calls)

        one = service_of(hosts, "h1")
        hosts.update_service(ADMIN, one.id, True, None, None)
        assert told() == 1
        hosts.update_service(ADMIN, service_of(hosts, "net").id, True, None, None)
        assert told() == 0
        group = hosts.create_aggregate(ADMIN, "rack", None)
        hosts.add_aggregate_host(ADMIN, group.id, "h1")
        assert told() == 2
        hosts.delete_service(ADMIN, one.id)
        hosts.delete_aggregate(ADMIN, group.id)
        assert told() == 2
        heard.away = True
        hosts.create_aggregate(ADMIN, "other", None)
        assert [a.name for a in hosts.list_aggregates(ADMIN)] == ["other"]

    def test_zones_and_aggregates_are_in_the_view(self, hosts: Endpoint) -> None:
        position = hosts.host_views(ADMIN, None).position
        group = hosts.create_aggregate(ADMIN, "rack", "east")
        hosts.add_aggregate_host(ADMIN, group.id, "h1")
        seen = hosts.host_views(ADMIN, position)
        assert [(v.host, v.zone, v.aggregates) for v in seen.hosts] == [("h1", "east", (group.id,))]
        assert seen.aggregates is not None and [a.name for a in seen.aggregates] == ["rack"]


class TestHypervisors:
    def test_lists_have_pages_and_patterns(self, hosts: Endpoint) -> None:
        hosts.inventory(ADMIN, [inventory("other", node="cluster.example.org")])
        every = hosts.list_hypervisors(ADMIN, Page(), None, True)
        assert [h.service.host if h.service else None for h in every] == ["h1", "h2", None]
        assert [h.number for h in hosts.list_hypervisors(ADMIN, Page(), "h", False)] == [
            every[0].number,
            every[1].number,
        ]
        assert hosts.list_hypervisors(ADMIN, Page(), "example", False)[0].id == every[2].id
        for marker in (every[0].id, str(every[0].number)):
            (page,) = hosts.list_hypervisors(ADMIN, Page(marker=marker, limit=1), None, False)
            assert page.id == every[1].id
        with pytest.raises(MarkerNotFound):
            hosts.list_hypervisors(ADMIN, Page(marker="x"), None, False)
        for name in (every[1].id, str(every[1].number)):
            assert hosts.show_hypervisor(ADMIN, name).id == every[1].id
        with pytest.raises(HypervisorNotFound):
            hosts.show_hypervisor(ADMIN, "x")

    def test_instances_are_told_by_node(self, hosts: Endpoint) -> None:
        guest = instance()
        hosts.world.db.run(lambda tx: instances.insert(tx, [guest, instance(host="h9", node="h9")]))
        assert hosts.instances_by_hypervisor(ADMIN, ["h1", "h2", "x"]) == {
            "h1": [(guest.id, guest.id)],
            "h2": [],
        }


class TestAggregates:
    def test_make_change_delete(self, hosts: Endpoint) -> None:
        made = hosts.create_aggregate(ADMIN, "a", "east")
        assert made.id > 0 and made.zone == "east"
        assert hosts.show_aggregate(ADMIN, made.id) == made
        with pytest.raises(AggregateExists):
            hosts.create_aggregate(ADMIN, "a", None)
        other = hosts.create_aggregate(ADMIN, "b", None)
        with pytest.raises(AggregateExists):
            hosts.update_aggregate(ADMIN, other.id, "a", None)
        changed = hosts.update_aggregate(ADMIN, other.id, "c", "west")
        assert (changed.name, changed.zone) == ("c", "west")
        changed = hosts.put_aggregate_metadata(
            ADMIN, other.id, {"availability_zone": None, "ssd": "true", "never": None}
        )
        assert changed.metadata == {"ssd": "true"}
        assert [a.name for a in hosts.list_aggregates(ADMIN)] == ["a", "c"]
        hosts.delete_aggregate(ADMIN, other.id)
        for wrong in (hosts.show_aggregate, hosts.delete_aggregate):
            with pytest.raises(AggregateNotFound):
                wrong(ADMIN, other.id)

    def test_hosts_come_and_go(self, hosts: Endpoint) -> None:
        made = hosts.create_aggregate(ADMIN, "a", None)
        assert hosts.add_aggregate_host(ADMIN, made.id, "h1").hosts == ("h1",)
        with pytest.raises(AggregateHostExists):
            hosts.add_aggregate_host(ADMIN, made.id, "h1")
        for unknown in ("x", "net"):
            with pytest.raises(ComputeHostNotFound):
                hosts.add_aggregate_host(ADMIN, made.id, unknown)
        with pytest.raises(AggregateRefused, match="not empty"):
            hosts.delete_aggregate(ADMIN, made.id)
        assert hosts.remove_aggregate_host(ADMIN, made.id, "h1").hosts == ()
        with pytest.raises(AggregateHostNotFound):
            hosts.remove_aggregate_host(ADMIN, made.id, "h1")
        hosts.delete_aggregate(ADMIN, made.id)

    def test_a_host_is_in_one_zone(self, hosts: Endpoint) -> None:
        east, west, rack = (
            hosts.create_aggregate(ADMIN, n, z) for n, z in (("a", "e"), ("b", "w"), ("c", None))
        )
        for group in (east, rack):
            hosts.add_aggregate_host(ADMIN, group.id, "h1")
        with pytest.raises(AggregateRefused, match=r"already in availability zone\(s\) \['e'\]"):
            hosts.add_aggregate_host(ADMIN, west.id, "h1")
        with pytest.raises(AggregateRefused):
            hosts.put_aggregate_metadata(ADMIN, rack.id, {"availability_zone": "w"})
        with pytest.raises(AggregateRefused):
            hosts.update_aggregate(ADMIN, rack.id, None, "w")
        assert hosts.update_aggregate(ADMIN, rack.id, None, "e").zone == "e"

    def test_hosts_with_servers_stay_in_their_zone(self, hosts: Endpoint) -> None:
        made = hosts.create_aggregate(ADMIN, "a", "e")
        hosts.add_aggregate_host(ADMIN, made.id, "h1")
        hosts.world.db.run(lambda tx: instances.insert(tx, [instance()]))
        with pytest.raises(AggregateRefused, match="contain instances"):
            hosts.update_aggregate(ADMIN, made.id, None, "w")
        assert hosts.update_aggregate(ADMIN, made.id, "b", None).zone == "e"


def test_zones_follow_from_services_and_aggregates(hosts: Endpoint) -> None:
    made = hosts.create_aggregate(ADMIN, "a", "east")
    hosts.add_aggregate_host(ADMIN, made.id, "h1")
    hosts.update_service(ADMIN, service_of(hosts, "h1").id, True, None, None)
    assert [(z.name, z.available, z.services) for z in hosts.list_zones(ADMIN, False)] == [
        ("nova", True, ()),
        ("east", False, ()),
    ]
    assert {z.name: [s.host for s in z.services] for z in hosts.list_zones(ADMIN, True)} == {
        "east": ["h1"],
        "nova": ["h2"],
        "internal": ["net"],
    }


class TestConsoleTokens:
    def test_tokens_end_with_time_and_with_their_instance(self, hosts: Endpoint) -> None:
        guest = instance()
        hosts.world.db.run(lambda tx: instances.insert(tx, [guest]))
        target = ConsoleAuthorization(
            instance_id=guest.id, protocol="vnc", type="novnc", host="10.0.0.9", port=5900, expires_in_s=600
        )
        for _ in range(2):
            hosts.save_console_token(ADMIN, "hash", target)
        assert hosts.find_console_token(ADMIN, "hash") == target
        assert hosts.find_console_token(ADMIN, "other") is None
        for state, good in ((Vm.STOPPED, False), (Vm.RESCUED, True)):
            swap = instances.Swap(id=guest.id, vm=state)
            hosts.world.db.run(lambda tx, swap=swap: instances.swap(tx, [swap]))  # type: ignore[misc]
            assert (hosts.find_console_token(ADMIN, "hash") is not None) is good
        advance(hosts, 601)
        assert hosts.find_console_token(ADMIN, "hash") is None

    def test_none_is_kept_for_what_is_gone_or_has_changed(self, hosts: Endpoint) -> None:
        """A console asked for while its server is deleted, or stopped and started elsewhere."""
        guest = instance()
        hosts.world.db.run(lambda tx: instances.insert(tx, [guest]))
        asked = ConsoleAuthorization(
            instance_id=guest.id, protocol="vnc", type="novnc", host="h", port=1, expires_in_s=600, revision=1
        )
        for vm, told in ((Vm.ACTIVE, None), (Vm.STOPPED, InstanceChanged), (Vm.DELETED, InstanceNotFound)):
            ends = hosts.world.clock.now() if vm is Vm.DELETED else None
            swap = instances.Swap(id=guest.id, vm=vm, deleted_at=ends)
            hosts.world.db.run(lambda tx, swap=swap: instances.swap(tx, [swap]))  # type: ignore[misc]
            with pytest.raises(told) if told else contextlib.nullcontext():
                hosts.save_console_token(ADMIN, f"hash of {vm}", asked)
        kept = hosts.world.db.read(lambda tx: [console_tokens.get(tx, f"hash of {vm}", 600.0) for vm in Vm])
        assert [one.instance_id for one in kept if one] == [guest.id]

    def test_dropping_them_ends_them(self, hosts: Endpoint) -> None:
        guest = instance()
        hosts.world.db.run(lambda tx: instances.insert(tx, [guest]))
        target = ConsoleAuthorization(
            instance_id=guest.id, protocol="vnc", type="novnc", host="h", port=1, expires_in_s=600
        )
        hosts.save_console_token(ADMIN, "hash", target)
        hosts.drop_console_tokens(ADMIN, guest.id)
        assert hosts.find_console_token(ADMIN, "hash") is None
