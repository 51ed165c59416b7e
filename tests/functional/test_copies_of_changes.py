"""Copies of a call that changes something, at several conductors: done once, and all are answered alike.

A client sends a call again when the broker did not confirm it or no answer came; here every call is sent five
times, four at the same time and one late.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry

from nova import ids
from nova.context import RequestContext
from nova.errors.admin import OutOfQuota, SecurityGroupNotFound
from nova.objects.flavor import Flavor
from nova.objects.ids import FlavorId, ImageId, InstanceId, NetworkId, ProjectId, UserId
from nova.objects.instance import BootWish, InstanceChanges
from nova.objects.network import Network, NetworkChoice, SecurityRule, Topology
from nova.objects.page import Page
from nova.rpc.client import make_client
from nova.rpc.contract import CALL, describe
from nova.rpc.contracts.conductor import Conductor
from nova.rpc.metrics import RpcMetrics
from tests.support.cloud import Bench, eventually
from tests.support.copies import Copying

AT_ONCE = 4
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ5Q0Yt0kAXDNmjvUzqVZk1VYhJSFF9yv1mDhbNKPXRl me"


@pytest.fixture
def conductor(bench: Bench) -> Iterator[Conductor]:
    transport = Copying(bench.cloud.surroundings.transport, at_once=AT_ONCE, late=1)
    yield make_client(Conductor, transport, RpcMetrics(CollectorRegistry())).any
    transport.close()


@pytest.fixture
def ctx() -> RequestContext:
    """A request of a project of its own."""
    return RequestContext(
        request_id=ids.new_request_id(),
        user_id="u",
        project_id=ids.new_uuid(),
        roles=("admin",),
        is_admin=True,
    )


def used(conductor: Conductor, ctx: RequestContext, resource: str) -> int:
    return conductor.show_quotas(ctx, ProjectId(ctx.project_id), None).used[resource]


def test_all_calls_that_change_something_may_be_sent_again() -> None:
    calls = [m for m in describe(Conductor).methods.values() if m.kind == CALL]
    # The private key that is made on the way is told once, and kept nowhere.
    assert [m.name for m in calls if not m.idempotent] == ["create_keypair"]


def test_flavors(conductor: Conductor, ctx: RequestContext) -> None:
    wish = Flavor(id=FlavorId(""), name=ids.new_uuid(), vcpus=1, ram_mb=1, root_gb=0, is_public=False)
    made = conductor.create_flavor(ctx, wish)
    assert conductor.update_flavor(ctx, made.id, "words").description == "words"
    assert conductor.put_extra_specs(ctx, made.id, {"a": "1", "b": "2"}) == {"a": "1", "b": "2"}
    conductor.delete_extra_spec(ctx, made.id, "a")
    assert conductor.show_flavor(ctx, made.id).extra_specs == {"b": "2"}
    conductor.add_flavor_access(ctx, made.id, ProjectId("p"))
    assert [a.project_id for a in conductor.list_flavor_access(ctx, made.id)] == ["p"]
    conductor.remove_flavor_access(ctx, made.id, ProjectId("p"))
    assert conductor.list_flavor_access(ctx, made.id) == []
    conductor.delete_flavor(ctx, made.id)


def test_key_pairs(conductor: Conductor, ctx: RequestContext) -> None:
    user = ids.new_uuid()
    made = conductor.create_keypair(ctx, "k", KEY, "ssh", user)
    assert conductor.list_keypairs(ctx, user, Page()) == [made.keypair]
    conductor.delete_keypair(ctx, "k", user)
    assert conductor.show_quotas(ctx, ProjectId("p"), UserId(user)).used["key_pairs"] == 0


def test_server_groups(conductor: Conductor, ctx: RequestContext) -> None:
    made = conductor.create_server_group(ctx, "g", "affinity", None)
    assert conductor.list_server_groups(ctx, Page(), False) == [made]
    assert used(conductor, ctx, "server_groups") == 1
    conductor.delete_server_group(ctx, made.id)
    assert used(conductor, ctx, "server_groups") == 0


def test_security_groups_and_their_rules(conductor: Conductor, ctx: RequestContext) -> None:
    conductor.put_quotas(ctx, ProjectId(ctx.project_id), {"security_groups": 1}, False)
    made = conductor.create_security_group(ctx, "web", "d")
    assert used(conductor, ctx, "security_groups") == 1
    with pytest.raises(OutOfQuota):
        conductor.create_security_group(ctx, "db", "d")
    assert conductor.update_security_group(ctx, made.id, "www", "d").name == "www"
    wish = SecurityRule(id="", protocol="tcp", from_port=1, to_port=1, cidr="0.0.0.0/0")
    rule = conductor.add_security_rule(ctx, made.id, wish)
    assert conductor.show_security_group(ctx, made.id).rules == (rule,)
    conductor.delete_security_rule(ctx, rule.id)
    conductor.delete_security_group(ctx, made.id)
    assert used(conductor, ctx, "security_groups") == 0
    with pytest.raises(SecurityGroupNotFound):
        conductor.delete_security_group(ctx, made.id)


def test_networks(conductor: Conductor, ctx: RequestContext) -> None:
    label = ids.new_uuid()
    wish = Network(id=NetworkId(""), label=label, cidr="10.77.0.0/24", topology=Topology.NONE)
    made = conductor.create_network(ctx, wish)
    assert conductor.show_network(ctx, made.id).label == label
    conductor.delete_network(ctx, made.id)
    assert label not in {n.label for n in conductor.list_networks(ctx)}


def test_aggregates_and_services(bench: Bench, conductor: Conductor, ctx: RequestContext) -> None:
    (service,) = conductor.list_services(ctx, None, "nova-compute")
    made = conductor.create_aggregate(ctx, ids.new_uuid(), None)
    assert conductor.update_aggregate(ctx, made.id, ids.new_uuid(), None).id == made.id
    assert conductor.add_aggregate_host(ctx, made.id, service.host).hosts == (service.host,)
    assert conductor.put_aggregate_metadata(ctx, made.id, {"a": "1"}).metadata == {"a": "1"}
    assert conductor.remove_aggregate_host(ctx, made.id, service.host).hosts == ()
    conductor.delete_aggregate(ctx, made.id)
    assert made.id not in {a.id for a in conductor.list_aggregates(ctx)}
    assert conductor.update_service(ctx, service.id, True, "words", None).disabled
    assert not conductor.update_service(ctx, service.id, False, None, None).disabled


def test_what_is_no_state_of_a_server(bench: Bench, conductor: Conductor, ctx: RequestContext) -> None:
    wish = BootWish(
        name="web",
        image_id=ImageId(bench.image),
        flavor_id=FlavorId("1"),
        network_choice=NetworkChoice.NONE,
    )
    server = InstanceId(conductor.boot(ctx, wish).ids[0])
    eventually(lambda: conductor.show_instance(ctx, server).task_state is None)
    assert conductor.put_metadata(ctx, server, {"a": "1", "b": "2"}, True) == {"a": "1", "b": "2"}
    conductor.delete_metadata(ctx, server, "a")
    assert conductor.add_tag(ctx, server, "x") is True
    assert conductor.set_tags(ctx, server, ["x", "y"]) == ["x", "y"]
    conductor.delete_tag(ctx, server, "x")
    assert conductor.update_instance(ctx, server, InstanceChanges(display_name="new")).display_name == "new"
    conductor.clear_guest_password(ctx, server)
    assert conductor.show_guest_password(ctx, server) == ""
    conductor.act(ctx, server, "lock", {"reason": "words"})
    shown = conductor.show_instance(ctx, server)
    assert (shown.metadata, shown.tags, shown.locked_reason) == ({"b": "2"}, ("y",), "words")
    conductor.act(ctx, server, "unlock", {})
    conductor.act(ctx, server, "delete", {})
