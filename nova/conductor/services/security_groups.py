"""Security groups of projects: what may reach their instances."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from nova import ids
from nova.conductor.services.lookup import living
from nova.conductor.services.once import once
from nova.conductor.services.quotas import limits_of
from nova.context import RequestContext
from nova.db import instances, quotas, security_groups
from nova.db.engine import TryAgain, Tx, again
from nova.errors import Unavailable
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
from nova.errors.database import Duplicate
from nova.errors.servers import InstanceNotFound
from nova.objects.ids import HostName, InstanceId, ProjectId
from nova.objects.instance import Instance
from nova.objects.network import GuestFilter, SecurityGroup, SecurityRule

if TYPE_CHECKING:
    from nova.conductor.world import World

_LOG = logging.getLogger(__name__)
DEFAULT = "default"
_ONE = {"security_groups": 1}
_PROTOCOLS = {"tcp", "udp", "icmp", None}
_GUESTS = dict[HostName, list[InstanceId]]


class _Added(msgspec.Struct, frozen=True):
    """A rule as it is stored, and the guests that it concerns, by host."""

    rule: SecurityRule
    guests: dict[HostName, list[InstanceId]]


def list_groups(world: World, ctx: RequestContext, all_projects: bool) -> list[SecurityGroup]:
    """Return the groups of the project (all projects': administrators only) with their rules, by name."""
    if all_projects and ctx.is_admin:
        return world.db.read(security_groups.list_groups)
    project = ProjectId(ctx.project_id)
    found = world.db.read(lambda tx: security_groups.list_groups(tx, project))
    if not any(group.name == DEFAULT for group in found):
        world.db.run(lambda tx: security_groups.resolve(tx, project, [DEFAULT]), settled=again)
        found = world.db.read(lambda tx: security_groups.list_groups(tx, project))
    return found


def show(world: World, ctx: RequestContext, group_id: str) -> SecurityGroup:
    """Return a group of the caller's project; raises ``SecurityGroupNotFound``."""
    return world.db.read(lambda tx: _own(tx, ctx, group_id))


def _own(tx: Tx, ctx: RequestContext, group_id: str, *, lock: bool = False) -> SecurityGroup:
    if lock:
        found = security_groups.locked(tx, group_id)
    else:
        found = next(iter(security_groups.get(tx, [group_id])), None)
    if found is None or not (ctx.is_admin or found.project_id == ctx.project_id):
        raise SecurityGroupNotFound(id=group_id)
    return found


def create(world: World, ctx: RequestContext, name: str, description: str) -> SecurityGroup:
    """Make a group that lets nothing in; raises ``SecurityGroupExists`` and ``OutOfQuota``."""
    project = ProjectId(ctx.project_id)
    group = SecurityGroup(id=ids.new_uuid(), name=name, project_id=project, description=description)

    def work(tx: Tx) -> SecurityGroup:
        if security_groups.resolve(tx, project, [name]):
            raise SecurityGroupExists(name=name)
        if quotas.reserve(tx, project, _ONE, limits_of(world, tx, project)) is not True:
            raise OutOfQuota(things="security groups")
        security_groups.insert(tx, group)
        return group

    try:
        return once(world, ctx, work, SecurityGroup)
    except Duplicate:
        raise SecurityGroupExists(name=name) from None


def update(world: World, ctx: RequestContext, group_id: str, name: str, description: str) -> SecurityGroup:
    """Rename a group; raises ``SecurityGroupNotFound``, ``...Fixed`` and ``...Exists``."""

    def work(tx: Tx) -> SecurityGroup:
        group = _own(tx, ctx, group_id)
        if group.name == DEFAULT and name != DEFAULT:
            raise SecurityGroupFixed(action="update")
        if not security_groups.update(tx, group_id, name, description):
            raise SecurityGroupNotFound(id=group_id)
        if name != group.name:
            _rename_at_members(tx, group, name)
        return msgspec.structs.replace(group, name=name, description=description)

    try:
        return once(world, ctx, work, SecurityGroup)
    except Duplicate:
        raise SecurityGroupExists(name=name) from None


def _rename_at_members(tx: Tx, group: SecurityGroup, name: str) -> None:
    """Let the instances that a group guards show its new name."""

    def rename(instance: Instance) -> Instance:
        names = tuple(name if n == group.name else n for n in instance.security_groups)
        return msgspec.structs.replace(instance, security_groups=names)

    for instance_id in security_groups.members(tx, group.id):
        instances.edit(tx, instance_id, rename)


def delete(world: World, ctx: RequestContext, group_id: str) -> None:
    """Remove a group nobody uses; raises ``SecurityGroupNotFound``, ``...Fixed`` and ``...InUse``."""

    def work(tx: Tx) -> dict[HostName, list[InstanceId]]:
        group = _own(tx, ctx, group_id, lock=True)
        if group.name == DEFAULT:
            raise SecurityGroupFixed(action="delete")
        affected = security_groups.guests_affected(tx, [group_id])
        if not security_groups.delete(tx, group_id):
            raise SecurityGroupNotFound(id=group_id)
        if security_groups.in_use(tx, group_id):
            raise SecurityGroupInUse()
        quotas.release(tx, group.project_id, _ONE)
        return affected

    tell_hosts(world, ctx, once(world, ctx, work, _GUESTS))


def add_rule(world: World, ctx: RequestContext, group_id: str, rule: SecurityRule) -> SecurityRule:
    """Add a rule and tell the hosts.

    Raises ``SecurityGroupNotFound``, ``SecurityRuleInvalid``, ``SecurityRuleExists`` and ``OutOfQuota``.
    """
    wanted = _checked(msgspec.structs.replace(rule, id=rule.id or ids.new_uuid()))

    def work(tx: Tx) -> _Added:
        group = _own(tx, ctx, group_id, lock=True)
        if wanted.source_group_id is not None:
            _own(tx, ctx, wanted.source_group_id)
            if not security_groups.hold(tx, [wanted.source_group_id]):
                raise TryAgain()
        if any(_same(old, wanted) for old in group.rules):
            raise SecurityRuleExists(group=group_id)
        most = limits_of(world, tx, group.project_id).get("security_group_rules", -1)
        if 0 <= most <= len(group.rules):
            raise OutOfQuota(things="security group rules")
        security_groups.add_rules(tx, group_id, [wanted])
        stored = next(r for r in security_groups.get(tx, [group_id])[0].rules if r.id == wanted.id)
        return _Added(stored, security_groups.guests_affected(tx, [group_id]))

    added = once(world, ctx, work, _Added)
    tell_hosts(world, ctx, added.guests)
    return added.rule


def _checked(rule: SecurityRule) -> SecurityRule:
    """Return a rule in its one spelling; raises ``SecurityRuleInvalid``."""
    protocol = rule.protocol.lower() if rule.protocol else None
    if protocol not in _PROTOCOLS:
        raise SecurityRuleInvalid(reason=f"Invalid IP protocol {rule.protocol}.")
    if protocol in {"tcp", "udp"}:
        first, last = rule.from_port, rule.to_port
        if first is not None and last is not None and not (-1 <= first <= last <= 65535):
            raise SecurityRuleInvalid(reason=f"Invalid port range {first}:{last}.")
    if protocol is None and (rule.from_port or -1, rule.to_port or -1) != (-1, -1):
        raise SecurityRuleInvalid(reason="Ports need a protocol.")
    cidr = rule.cidr
    if rule.source_group_id is not None:
        cidr = None
    else:
        try:
            cidr = str(ipaddress.ip_network(cidr or "0.0.0.0/0", strict=False))
        except ValueError:
            raise SecurityRuleInvalid(reason=f"Invalid cidr {rule.cidr}.") from None
    return msgspec.structs.replace(rule, protocol=protocol, cidr=cidr)


def _same(one: SecurityRule, other: SecurityRule) -> bool:
    def shape(rule: SecurityRule) -> tuple[object, ...]:
        ports = (-1 if p is None else p for p in (rule.from_port, rule.to_port))
        return (rule.protocol, *ports, rule.cidr, rule.source_group_id)

    return shape(one) == shape(other)


def delete_rule(world: World, ctx: RequestContext, rule_id: str) -> None:
    """Take a rule away and tell the hosts; raises ``SecurityRuleNotFound``."""

    def work(tx: Tx) -> dict[HostName, list[InstanceId]]:
        group_id = security_groups.group_of_rule(tx, rule_id)
        found = security_groups.get(tx, [group_id]) if group_id else []
        if not found or not (ctx.is_admin or found[0].project_id == ctx.project_id):
            raise SecurityRuleNotFound(id=rule_id)
        if security_groups.delete_rule(tx, rule_id) is None:
            raise SecurityRuleNotFound(id=rule_id)
        return security_groups.guests_affected(tx, [found[0].id])

    tell_hosts(world, ctx, once(world, ctx, work, _GUESTS))


def join(world: World, ctx: RequestContext, instance_id: InstanceId, name: str) -> None:
    """Let a group (name or id) guard an instance. Idempotent.

    Raises ``InstanceNotFound`` and ``SecurityGroupNotFound``.
    """

    _change_membership(world, ctx, instance_id, name, joins=True)


def leave(world: World, ctx: RequestContext, instance_id: InstanceId, name: str) -> None:
    """Let a group (name or id) no longer guard an instance. Idempotent; raises as :func:`join`."""

    _change_membership(world, ctx, instance_id, name, joins=False)


def _change_membership(
    world: World, ctx: RequestContext, instance_id: InstanceId, name: str, *, joins: bool
) -> None:
    def work(tx: Tx) -> dict[HostName, list[InstanceId]]:
        instance = living(tx, ctx, instance_id)
        group_id = security_groups.resolve(tx, instance.project_id, [name]).get(name)
        found = security_groups.get(tx, [group_id]) if group_id else []
        if not found:
            raise SecurityGroupNotFound(id=name)
        group = found[0]

        def rename(now: Instance) -> Instance:
            others = tuple(n for n in now.security_groups if n not in {group.name, group.id})
            names = (*others, group.name) if joins else others
            return msgspec.structs.replace(now, security_groups=names)

        if joins:
            if not security_groups.hold(tx, [group.id]):
                raise TryAgain()
            security_groups.join(tx, [(group.id, instance_id)])
        else:
            security_groups.leave(tx, [instance_id], group.id)
        if instances.edit(tx, instance_id, rename) is None:
            raise InstanceNotFound(id=instance_id)
        affected = security_groups.guests_affected(tx, [group.id])
        if instance.host is not None:
            here = affected.setdefault(instance.host, [])
            if instance_id not in here:
                here.append(instance_id)
        return affected

    tell_hosts(world, ctx, once(world, ctx, work, _GUESTS))


def tell_hosts(world: World, ctx: RequestContext, guests: dict[HostName, list[InstanceId]]) -> None:
    """Tell hosts that the filters of these guests changed; belongs after the commit.

    It was committed, so a broker that is away is no error: hosts also look by themselves now and then.
    """
    for host, affected in sorted(guests.items()):
        try:
            world.compute.host(host).filters_changed(ctx, affected)
        except Unavailable as error:
            _LOG.warning("Host %s was not told of changed packet filters: %s", host, error)


def guest_filters(world: World, host: HostName, wanted: Sequence[InstanceId] | None) -> list[GuestFilter]:
    """Return what may reach the guests of a host (some of them, or all)."""

    def work(tx: Tx) -> list[GuestFilter]:
        if wanted is None:
            found = instances.of_host(tx, host)
        else:
            found = [i for i in instances.get_many(tx, wanted).values() if i.host == host]
        here = [instance for instance in found if not instance.is_deleted]
        rules = security_groups.filter_rules(tx, [instance.id for instance in here])
        return [GuestFilter(instance_id=i.id, vifs=i.vifs, rules=rules.get(i.id, ())) for i in here]

    return world.db.read(work)
