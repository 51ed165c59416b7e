from __future__ import annotations

from typing import Any

import pytest

from nova.conductor.endpoints.host_reports import HostReportsEndpoint
from nova.conductor.endpoints.networks import NetworksEndpoint
from nova.conductor.engine.step import Run
from nova.conductor.reconcile.filter_news import FilterNews
from nova.conductor.world import World
from nova.context import RequestContext
from nova.db import fixed_ips, instances, networks, security_groups
from nova.db.workflows import WorkflowRow
from nova.errors.admin import (
    OutOfQuota,
    SecurityGroupExists,
    SecurityGroupFixed,
    SecurityGroupInUse,
    SecurityGroupNotFound,
    SecurityRuleExists,
    SecurityRuleInvalid,
    SecurityRuleNotFound,
)
from nova.errors.database import DatabaseUnavailable
from nova.errors.servers import InstanceNotFound
from nova.objects.instance import Instance
from nova.objects.network import FilterRule, SecurityRule
from nova.objects.states import Vm
from nova.objects.workflow import WorkflowState
from tests.unit.conductor.services.makers import THEN, instance, network

NET = network(id="11111111-1111-4111-8111-111111111111")


class Endpoint(NetworksEndpoint, HostReportsEndpoint):
    def __init__(self, world: World) -> None:
        self.world = world

    @property
    def told(self) -> list[tuple[Any, ...]]:
        """What hosts were told since the last look."""
        heard: Any = self.world.compute
        calls, heard.calls = heard.calls, []
        return calls  # type: ignore[no-any-return]


@pytest.fixture
def groups(world: World) -> Endpoint:
    world.db.run(lambda tx: networks.insert(tx, NET))
    return Endpoint(world)


def guest_on(groups: Endpoint, host: str, *names: str, **values: Any) -> Instance:
    made = instance(host=host, node=host, security_groups=names, **values)
    want = fixed_ips.AddressWant(
        instance_id=made.id, vif_id=made.id, mac="fa:16:3e:00:00:01", network_id=NET.id, host=host
    )

    def work(tx: Any) -> None:
        instances.insert(tx, [made])
        fixed_ips.allocate(tx, [want])
        found = security_groups.resolve(tx, made.project_id, names)
        security_groups.join(tx, [(group, made.id) for group in found.values()])

    groups.world.db.run(work)
    return made


def rule(**values: Any) -> SecurityRule:
    made: dict[str, Any] = {"id": "", "protocol": "tcp", "from_port": 22, "to_port": 22, "cidr": "0.0.0.0/0"}
    return SecurityRule(**(made | values))


class TestGroups:
    def test_the_default_group_lets_its_members_talk(self, groups: Endpoint, ctx: RequestContext) -> None:
        (default,) = groups.list_security_groups(ctx, False)
        assert default.name == "default" and default.project_id == "p1"
        (only,) = default.rules
        assert (only.protocol, only.cidr, only.source_group_id) == (None, None, default.id)
        assert groups.list_security_groups(ctx, False) == [default]
        groups.delete_security_rule(ctx, only.id)
        assert groups.list_security_groups(ctx, False)[0].rules == (), "what users took away stays away"

    def test_the_default_group_stays(self, groups: Endpoint, ctx: RequestContext) -> None:
        (default,) = groups.list_security_groups(ctx, False)
        with pytest.raises(SecurityGroupFixed, match="Unable to delete system group 'default'"):
            groups.delete_security_group(ctx, default.id)
        with pytest.raises(SecurityGroupFixed, match="Unable to update"):
            groups.update_security_group(ctx, default.id, "mine", "")
        assert groups.update_security_group(ctx, default.id, "default", "words").description == "words"

    def test_groups_belong_to_projects(
        self, groups: Endpoint, ctx: RequestContext, other: RequestContext, admin: RequestContext
    ) -> None:
        web = groups.create_security_group(ctx, "web", "d")
        assert groups.show_security_group(ctx, web.id) == web == groups.show_security_group(admin, web.id)
        with pytest.raises(SecurityGroupExists):
            groups.create_security_group(ctx, "web", "again")
        groups.create_security_group(other, "web", "")
        second = groups.create_security_group(ctx, "db", "")
        with pytest.raises(SecurityGroupExists):
            groups.update_security_group(ctx, second.id, "web", "")
        assert groups.update_security_group(ctx, second.id, "sql", "x").name == "sql"
        for wrong in (
            lambda: groups.show_security_group(other, web.id),
            lambda: groups.delete_security_group(other, web.id),
            lambda: groups.update_security_group(other, web.id, "a", ""),
            lambda: groups.add_security_rule(other, web.id, rule()),
        ):
            with pytest.raises(SecurityGroupNotFound):
                wrong()
        assert {g.project_id for g in groups.list_security_groups(admin, True)} == {"p1", "p2"}
        assert {g.project_id for g in groups.list_security_groups(other, True)} == {"p2"}

    def test_the_quota_counts_and_deleting_gives_back(self, groups: Endpoint, ctx: RequestContext) -> None:
        groups.world.settings.quotas["security_groups"] = 1
        made = groups.create_security_group(ctx, "a", "")
        with pytest.raises(OutOfQuota):
            groups.create_security_group(ctx, "b", "")
        groups.delete_security_group(ctx, made.id)
        with pytest.raises(SecurityGroupNotFound):
            groups.delete_security_group(ctx, made.id)
        groups.create_security_group(ctx, "b", "")

    def test_a_group_in_use_stays(self, groups: Endpoint, ctx: RequestContext) -> None:
        web = groups.create_security_group(ctx, "web", "")
        guest = guest_on(groups, "h1", "web")
        with pytest.raises(SecurityGroupInUse):
            groups.delete_security_group(ctx, web.id)
        groups.leave_security_group(ctx, guest.id, "web")
        groups.delete_security_group(ctx, web.id)


class TestRules:
    def test_hosts_follow_at_once(self, groups: Endpoint, ctx: RequestContext) -> None:
        web = groups.create_security_group(ctx, "web", "")
        guest = guest_on(groups, "h1", "web")
        made = groups.add_security_rule(ctx, web.id, rule(protocol="TCP", cidr="10.1.2.3/8"))
        assert made.protocol == "tcp" and made.cidr == "10.0.0.0/8" and len(made.id) == 36
        assert groups.told == [("h1", "filters_changed", [guest.id])]
        (found,) = groups.guest_filters(ctx, "h1", None)
        assert found.instance_id == guest.id
        assert found.rules == (FilterRule(protocol="tcp", from_port=22, to_port=22, cidrs=("10.0.0.0/8",)),)
        groups.delete_security_rule(ctx, made.id)
        assert groups.told == [("h1", "filters_changed", [guest.id])]
        assert groups.guest_filters(ctx, "h1", [guest.id])[0].rules == ()
        assert groups.guest_filters(ctx, "h2", [guest.id]) == [], "it is not on that host"

    def test_members_of_a_source_group_may_come_in(self, groups: Endpoint, ctx: RequestContext) -> None:
        web = groups.create_security_group(ctx, "web", "")
        sql = groups.create_security_group(ctx, "sql", "")
        server = guest_on(groups, "h1", "sql")
        wanted = rule(from_port=5432, to_port=5432, cidr=None, source_group_id=web.id)
        made = groups.add_security_rule(ctx, sql.id, wanted)
        assert (made.source_group_name, made.source_project_id, made.cidr) == ("web", "p1", None)
        assert groups.told == [("h1", "filters_changed", [server.id])]
        client = guest_on(groups, "h2")
        groups.join_security_group(ctx, client.id, "web")
        assert groups.told == [
            ("h1", "filters_changed", [server.id]),
            ("h2", "filters_changed", [client.id]),
        ]
        assert groups.guest_filters(ctx, "h1", None)[0].rules[0].cidrs == ("10.0.0.2/32",)
        groups.leave_security_group(ctx, client.id, web.id)
        groups.told.clear()
        groups.delete_security_group(ctx, web.id)
        assert groups.told == [("h1", "filters_changed", [server.id])], "rules that named it are gone, too"
        assert groups.guest_filters(ctx, "h1", None)[0].rules == ()

    @pytest.mark.parametrize(
        "values",
        [
            {"protocol": "sctp"},
            {"from_port": 23},
            {"to_port": 65536},
            {"cidr": "10.0.0.0/33"},
            {"protocol": None},
        ],
    )
    def test_what_makes_no_sense_is_refused(
        self, groups: Endpoint, ctx: RequestContext, values: dict[str, Any]
    ) -> None:
        web = groups.create_security_group(ctx, "web", "")
        with pytest.raises(SecurityRuleInvalid):
            groups.add_security_rule(ctx, web.id, rule(**values))

    def test_rules_are_added_once_and_as_many_as_the_quota_allows(
        self, groups: Endpoint, ctx: RequestContext, other: RequestContext
    ) -> None:
        web = groups.create_security_group(ctx, "web", "")
        groups.world.settings.quotas["security_group_rules"] = 1
        made = groups.add_security_rule(ctx, web.id, rule(protocol="icmp", from_port=-1, to_port=-1))
        with pytest.raises(SecurityRuleExists):
            groups.add_security_rule(ctx, web.id, rule(protocol="icmp", from_port=None, to_port=None))
        with pytest.raises(OutOfQuota):
            groups.add_security_rule(ctx, web.id, rule())
        with pytest.raises(SecurityRuleNotFound):
            groups.delete_security_rule(other, made.id)
        groups.delete_security_rule(ctx, made.id)
        with pytest.raises(SecurityRuleNotFound):
            groups.delete_security_rule(ctx, made.id)

    def test_foreign_source_groups_do_not_exist(
        self, groups: Endpoint, ctx: RequestContext, other: RequestContext
    ) -> None:
        web, theirs = (groups.create_security_group(who, "web", "") for who in (ctx, other))
        with pytest.raises(SecurityGroupNotFound):
            groups.add_security_rule(ctx, web.id, rule(source_group_id=theirs.id))


class TestMembers:
    def test_joining_and_leaving_twice_is_doing_it_once(self, groups: Endpoint, ctx: RequestContext) -> None:
        guest = guest_on(groups, "h1", "default")
        web = groups.create_security_group(ctx, "web", "")

        def shown() -> tuple[str, ...]:
            found = groups.world.db.read(lambda tx: instances.get(tx, guest.id))
            assert found is not None
            return found.security_groups

        for name in (web.id, "web"):
            groups.join_security_group(ctx, guest.id, name)
            assert shown() == ("default", "web")
        for name in ("web", web.id):
            groups.leave_security_group(ctx, guest.id, name)
            assert shown() == ("default",)

    def test_servers_show_the_new_name_of_a_group(self, groups: Endpoint, ctx: RequestContext) -> None:
        web = groups.create_security_group(ctx, "web", "")
        guest = guest_on(groups, "h1", "default", "web")
        groups.update_security_group(ctx, web.id, "www", "")
        found = groups.world.db.read(lambda tx: instances.get(tx, guest.id))
        assert found is not None and found.security_groups == ("default", "www")

    def test_a_broker_that_is_away_does_not_undo_what_is_committed(
        self, groups: Endpoint, ctx: RequestContext
    ) -> None:
        guest = guest_on(groups, "h1", "default")
        heard: Any = groups.world.compute
        heard.away = True
        (default,) = groups.list_security_groups(ctx, False)
        made = groups.add_security_rule(ctx, default.id, rule())
        assert made in groups.show_security_group(ctx, default.id).rules
        assert groups.told == []
        heard.away = False
        groups.delete_security_rule(ctx, made.id)
        assert groups.told == [("h1", "filters_changed", [guest.id])]

    def test_only_what_is_there_and_one_s_own(
        self, groups: Endpoint, ctx: RequestContext, other: RequestContext
    ) -> None:
        guest = guest_on(groups, "h1", "default")
        groups.create_security_group(other, "web", "")
        with pytest.raises(SecurityGroupNotFound):
            groups.join_security_group(ctx, guest.id, "web")
        with pytest.raises(InstanceNotFound):
            groups.join_security_group(other, guest.id, "web")
        with pytest.raises(InstanceNotFound):
            groups.leave_security_group(ctx, "nobody", "default")


class TestNews:
    def test_guests_that_come_and_go_are_told_where_their_group_may_come_in(
        self, groups: Endpoint, ctx: RequestContext
    ) -> None:
        news = FilterNews(groups.world)
        web, sql, alone = (groups.create_security_group(ctx, name, "") for name in ("web", "sql", "alone"))
        groups.add_security_rule(
            ctx, sql.id, rule(from_port=5432, to_port=5432, cidr=None, source_group_id=web.id)
        )
        server = guest_on(groups, "h1", "sql")
        client = guest_on(groups, "h2", "web", "alone")
        assert news.tell() is None and groups.told == []
        news.note(ended("boot", client))
        assert news.tell() == "1 hosts told"
        assert groups.told == [("h1", "filters_changed", [server.id])]
        news.note(ended("boot", server))
        news.note(ended("snapshot", client))
        assert news.tell() is None and groups.told == [], "nobody lets it in; nothing came or went"

        def end(tx: Any) -> None:
            fixed_ips.release(tx, [client.id])
            instances.swap(tx, [instances.Swap(id=client.id, vm=Vm.DELETED, deleted_at=tx.now)])

        groups.world.db.run(end)
        news.note(ended("delete", client))
        news.tell()
        assert groups.told == [("h1", "filters_changed", [server.id])]
        assert groups.guest_filters(ctx, "h1", None)[0].rules[0].cidrs == ()
        groups.delete_security_group(ctx, alone.id)
        with pytest.raises(SecurityGroupInUse):
            groups.delete_security_group(ctx, sql.id)

    def test_news_outlast_a_database_that_is_away(self, groups: Endpoint, ctx: RequestContext) -> None:
        news = FilterNews(groups.world)
        one, two = guest_on(groups, "h1", "default"), guest_on(groups, "h2", "default")
        news.note(ended("boot", two))
        db = groups.world.db
        groups.world.db = Away()  # type: ignore[assignment]
        with pytest.raises(DatabaseUnavailable):
            news.tell()
        groups.world.db = db
        news.tell()
        assert groups.told == [("h1", "filters_changed", [one.id]), ("h2", "filters_changed", [two.id])]


class Away:
    """A database that does not answer."""

    def read(self, work: object) -> None:
        raise DatabaseUnavailable()


def ended(kind: str, subject: Instance) -> Run:
    row = WorkflowRow(
        id="w1",
        kind=kind,
        action=kind,
        instance_id=subject.id,
        request_id="req-1",
        user_id="u1",
        project_id="p1",
        state=WorkflowState.DONE,
        started_at=THEN,
        updated_at=THEN,
    )
    return Run(row=row, input=None, notes={})
