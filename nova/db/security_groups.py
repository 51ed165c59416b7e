"""Security groups, their rules, and which instances they guard."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from nova import ids
from nova.db.batch import Insert
from nova.db.engine import Row, Tx
from nova.db.fixed_ips import F
from nova.db.instance_table import INSTANCES, T
from nova.db.schema import COUNT, NAME, UUID, WORD, arg, args, needed, table, text
from nova.db.statements import Statement
from nova.objects.ids import HostName, InstanceId, ProjectId
from nova.objects.network import FilterRule, SecurityGroup, SecurityRule

GROUPS = table(
    "security_groups",
    sa.Column("id", UUID, primary_key=True),
    needed("name", NAME),
    needed("project_id", NAME),
    needed("description", NAME),
    sa.UniqueConstraint("project_id", "name", name="security_groups_names"),
)
RULES = table(
    "security_group_rules",
    sa.Column("id", UUID, primary_key=True),
    needed("group_id", UUID),
    needed("protocol", WORD),
    needed("from_port", COUNT),
    needed("to_port", COUNT),
    needed("cidr", text(43)),
    needed("source_group_id", UUID),
    sa.Index("security_group_rules_of_group", "group_id"),
    sa.Index("security_group_rules_of_source", "source_group_id"),
)
"""Ports are -1 where none is meant; nothing else is empty text."""
MEMBERS = table(
    "security_group_members",
    sa.Column("group_id", UUID, primary_key=True),
    sa.Column("instance_id", UUID, primary_key=True),
    sa.Index("security_group_members_of_instance", "instance_id"),
)
G, R, M = GROUPS.c, RULES.c, MEMBERS.c
_SOURCE = GROUPS.alias("source")
_INSERT = Insert(GROUPS, ("id", "name", "project_id", "description"))
_ENSURE = Insert(GROUPS, ("id", "name", "project_id", "description"), if_missing=True)
_ADD_RULE = Insert(RULES, ("id", "group_id", "protocol", "from_port", "to_port", "cidr", "source_group_id"))
_ENSURE_RULE = Insert(
    RULES,
    ("id", "group_id", "protocol", "from_port", "to_port", "cidr", "source_group_id"),
    if_missing=True,
)
_JOIN = Insert(MEMBERS, ("group_id", "instance_id"), if_missing=True)
_SELECT = sa.select(
    G.id, G.name, G.project_id, G.description, R.id.label("rule"), R.protocol, R.from_port, R.to_port, R.cidr,
    R.source_group_id, _SOURCE.c.name.label("source_name"), _SOURCE.c.project_id.label("source_project"),
).select_from(
    GROUPS.outerjoin(RULES, R.group_id == G.id).outerjoin(_SOURCE, _SOURCE.c.id == R.source_group_id)
)  # fmt: skip
_OF_PROJECT = Statement(_SELECT.where(G.project_id == arg("project")).order_by(G.name, G.id, R.id))
_LIST = Statement(_SELECT.order_by(G.project_id, G.name, G.id, R.id))
_SHOW = Statement(_SELECT.where(G.id.in_(args("ids"))).order_by(G.id, R.id))
_NAMED = Statement(
    sa.select(G.id, G.name).where(
        G.project_id == arg("project"), sa.or_(G.name.in_(args("names")), G.id.in_(args("names")))
    )
)
_UPDATE = Statement(
    sa.update(GROUPS).values(name=arg("name"), description=arg("description")).where(G.id == arg("id"))
)
_DELETE = Statement(sa.delete(GROUPS).where(G.id == arg("id")))
_HOLD = Statement(sa.update(GROUPS).values(name=G.name).where(G.id.in_(args("ids"))))
_DELETE_RULES = Statement(
    sa.delete(RULES).where(sa.or_(R.group_id == arg("id"), R.source_group_id == arg("id")))
)
_DELETE_RULE = Statement(sa.delete(RULES).where(R.id == arg("id")))
_RULE_GROUP = Statement(sa.select(R.group_id).where(R.id == arg("id")))
_LEAVE = Statement(sa.delete(MEMBERS).where(M.instance_id.in_(args("ids"))))
_LEAVE_ONE = Statement(sa.delete(MEMBERS).where(M.instance_id == arg("instance"), M.group_id == arg("group")))
_IN_USE = Statement(
    sa.select(M.instance_id)
    .join_from(MEMBERS, INSTANCES, T.id == M.instance_id, isouter=True)
    .where(M.group_id == arg("id"), sa.or_(T.id.is_(None), T.deleted == 0))
    .limit(1)
)
_MEMBERS = Statement(sa.select(M.instance_id).where(M.group_id == arg("id")).order_by(M.instance_id))
_MEMBERSHIPS = Statement(sa.select(M.instance_id, M.group_id).where(M.instance_id.in_(args("ids"))))
_ADDRESSES = Statement(
    sa.select(M.group_id, F.address)
    .join_from(MEMBERS, F.address.table, F.instance_id == M.instance_id)
    .where(M.group_id.in_(args("groups")))
)
_GUESTS = Statement(
    sa.select(F.host, M.instance_id)
    .join_from(MEMBERS, F.address.table, F.instance_id == M.instance_id)
    .where(
        sa.or_(
            M.group_id.in_(args("groups")),
            M.group_id.in_(sa.select(R.group_id).where(R.source_group_id.in_(args("groups")))),
        ),
        F.host != "",
    )
    .distinct()
    .order_by(F.host, M.instance_id)
)
_SUBJECT = MEMBERS.alias("subject")
_NEIGHBOURS = Statement(
    sa.select(F.host, M.instance_id)
    .select_from(_SUBJECT)
    .join(RULES, R.source_group_id == _SUBJECT.c.group_id)
    .join(MEMBERS, M.group_id == R.group_id)
    .join(F.address.table, F.instance_id == M.instance_id)
    .where(_SUBJECT.c.instance_id.in_(args("ids")), F.host != "")
    .distinct()
    .order_by(F.host, M.instance_id)
)
_HOSTS = Statement(
    sa.select(F.host)
    .join_from(MEMBERS, F.address.table, F.instance_id == M.instance_id)
    .where(
        sa.or_(
            M.group_id.in_(args("groups")),
            M.group_id.in_(sa.select(R.group_id).where(R.source_group_id.in_(args("groups")))),
        ),
        F.host != "",
    )
    .distinct()
)


def insert(tx: Tx, group: SecurityGroup) -> None:
    """Store a new group with its rules; raises ``Duplicate`` when the project has one of this name."""
    _INSERT.run(tx, [(group.id, group.name, group.project_id, group.description)])
    add_rules(tx, group.id, group.rules)


def resolve(tx: Tx, project: ProjectId, names: Sequence[str]) -> dict[str, str]:
    """Return the ids of groups that are given by name or id; what is missing is not there.

    The group ``default`` is made on the spot when a project asks for it first.
    """
    if not names:
        return {}
    found = _named(tx, project, names)
    if "default" in names and "default" not in found:
        _make_default(tx, project)
        found = _named(tx, project, names)
    return found


def _make_default(tx: Tx, project: ProjectId) -> None:
    """Make the group ``default``, whose members may reach each other; nobody else may reach them.

    The ids follow from the project, so those who make it at the same time make the same.
    """
    group = ids.derived_uuid("security group", project, "default")
    _ENSURE.run(tx, [(group, "default", project, "Default security group")])
    rule = ids.derived_uuid("security rule", group, "same group")
    _ENSURE_RULE.run(tx, [(rule, group, "", -1, -1, "", group)])


def _named(tx: Tx, project: ProjectId, names: Sequence[str]) -> dict[str, str]:
    wanted = set(names)
    found: dict[str, str] = {}
    for group_id, name in tx.rows(_NAMED, project=project, names=sorted(wanted)):
        if group_id in wanted:
            found.setdefault(group_id, group_id)
        if name in wanted:
            found[name] = group_id
    return found


def get(tx: Tx, wanted: Sequence[str]) -> list[SecurityGroup]:
    """Return those of the groups that exist, with their rules."""
    return _groups(tx.rows(_SHOW, ids=wanted)) if wanted else []


def locked(tx: Tx, group_id: str) -> SecurityGroup | None:
    """Return a group with its rules, which nobody else can change or count until the commit; None: none."""
    if not tx.change(_HOLD, ids=[group_id]):
        return None
    return next(iter(get(tx, [group_id])), None)


def list_groups(tx: Tx, project: ProjectId | None = None) -> list[SecurityGroup]:
    """Return the groups of a project, or all, by name, with their rules."""
    return _groups(tx.rows(_LIST) if project is None else tx.rows(_OF_PROJECT, project=project))


def update(tx: Tx, group_id: str, name: str, description: str) -> bool:
    """Rename a group; False when there is none; raises ``Duplicate``."""
    return bool(tx.change(_UPDATE, id=group_id, name=name, description=description))


def members(tx: Tx, group_id: str) -> list[InstanceId]:
    """Return the instances that a group guards."""
    return [row[0] for row in tx.rows(_MEMBERS, id=group_id)]


def in_use(tx: Tx, group_id: str) -> bool:
    """Tell whether the group guards an instance that is not deleted."""
    return tx.row(_IN_USE, id=group_id) is not None


def delete(tx: Tx, group_id: str) -> bool:
    """Remove a group, its rules and the rules that name it as a source; False when there is none.

    Whether it is in use is to be asked afterwards, in the same transaction: from here on nobody joins.
    """
    if not tx.change(_DELETE, id=group_id):
        return False
    tx.change(_DELETE_RULES, id=group_id)
    return True


def hold(tx: Tx, groups: Sequence[str]) -> bool:
    """Keep groups from being deleted until the transaction ends; False when one of them is gone.

    Belongs before :func:`join` and rules that name a source: a group that was read may be deleted at that
    moment.  The group ``default`` is never deleted and need not be held.
    """
    wanted = set(groups)
    return not wanted or tx.change(_HOLD, ids=sorted(wanted)) == len(wanted)


def add_rules(tx: Tx, group_id: str, rules: Sequence[SecurityRule]) -> None:
    """Store new rules of a group."""
    rows = [
        (
            rule.id, group_id, rule.protocol or "", -1 if rule.from_port is None else rule.from_port,
            -1 if rule.to_port is None else rule.to_port, rule.cidr or "", rule.source_group_id or "",
        )
        for rule in rules
    ]  # fmt: skip
    if rows:
        _ADD_RULE.run(tx, rows)


def group_of_rule(tx: Tx, rule_id: str) -> str | None:
    """Return the group a rule belongs to, or None."""
    row = tx.row(_RULE_GROUP, id=rule_id)
    return row[0] if row else None


def delete_rule(tx: Tx, rule_id: str) -> str | None:
    """Remove a rule; return the group it belonged to, or None when there is none."""
    row = tx.row(_RULE_GROUP, id=rule_id)
    return row[0] if row and tx.change(_DELETE_RULE, id=rule_id) else None


def join(tx: Tx, pairs: Sequence[tuple[str, InstanceId]]) -> None:
    """Let groups that are held guard instances: pairs of group and instance. Idempotent."""
    if pairs:
        _JOIN.run(tx, pairs)


def leave(tx: Tx, instances: Sequence[InstanceId], group_id: str | None = None) -> int:
    """End guarding these instances (by one group, or by all); return how many memberships ended."""
    if group_id is not None:
        return sum(tx.change(_LEAVE_ONE, instance=i, group=group_id) for i in instances)
    return tx.change(_LEAVE, ids=instances) if instances else 0


def hosts_affected(tx: Tx, groups: Sequence[str]) -> list[HostName]:
    """Return the hosts on which a change of these groups (rules or members) must be made."""
    return sorted(row[0] for row in tx.rows(_HOSTS, groups=groups)) if groups else []


def guests_affected(tx: Tx, groups: Sequence[str]) -> dict[HostName, list[InstanceId]]:
    """Return by host the instances whose filters a change of these groups (rules or members) changes."""
    return _by_host(tx.rows(_GUESTS, groups=groups) if groups else ())


def neighbours(tx: Tx, subjects: Sequence[InstanceId]) -> dict[HostName, list[InstanceId]]:
    """Return by host the instances that these may reach as members of a source group.

    When one of these comes or goes, the filters of the others change.
    Deleted ones count until they are purged.
    """
    return _by_host(tx.rows(_NEIGHBOURS, ids=subjects) if subjects else ())


def _by_host(rows: Sequence[Row]) -> dict[HostName, list[InstanceId]]:
    found: dict[HostName, list[InstanceId]] = {}
    for host, instance in rows:
        found.setdefault(host, []).append(instance)
    return found


def filter_rules(tx: Tx, instances: Sequence[InstanceId]) -> dict[InstanceId, tuple[FilterRule, ...]]:
    """Return what may reach each of these instances, source groups turned into addresses: 3 statements."""
    result: dict[InstanceId, tuple[FilterRule, ...]] = dict.fromkeys(instances, ())
    of_instance: dict[InstanceId, list[str]] = {}
    for instance, group in tx.rows(_MEMBERSHIPS, ids=instances) if instances else ():
        of_instance.setdefault(instance, []).append(group)
    wanted = sorted({group for groups in of_instance.values() for group in groups})
    groups = {group.id: group for group in get(tx, wanted)}
    sources = sorted({r.source_group_id for g in groups.values() for r in g.rules if r.source_group_id})
    addresses: dict[str, list[str]] = {}
    for source, address in tx.rows(_ADDRESSES, groups=sources) if sources else ():
        addresses.setdefault(source, []).append(address)
    for instance, names in of_instance.items():
        rules = [
            _filter_rule(rule, addresses)
            for name in sorted(names)
            if name in groups
            for rule in groups[name].rules
        ]
        result[instance] = _each_once(rules)
    return result


def _each_once(rules: list[FilterRule]) -> tuple[FilterRule, ...]:
    once: list[FilterRule] = []
    for rule in rules:
        if rule not in once:
            once.append(rule)
    return tuple(once)


def _filter_rule(rule: SecurityRule, addresses: dict[str, list[str]]) -> FilterRule:
    if rule.source_group_id:
        members = sorted(addresses.get(rule.source_group_id, ()))
        cidrs = tuple(f"{a}/128" if ":" in a else f"{a}/32" for a in members)
    else:
        cidrs = (rule.cidr or "0.0.0.0/0",)
    return FilterRule(protocol=rule.protocol, from_port=rule.from_port, to_port=rule.to_port, cidrs=cidrs)


def _groups(rows: Sequence[Row]) -> list[SecurityGroup]:
    found: dict[str, SecurityGroup] = {}
    rules: dict[str, list[SecurityRule]] = {}
    for row in rows:
        if row[0] not in found:
            found[row[0]] = SecurityGroup(id=row[0], name=row[1], project_id=row[2], description=row[3])
        if row[4] is not None:
            rules.setdefault(row[0], []).append(_rule(row))
    return [msgspec.structs.replace(group, rules=tuple(rules.get(group.id, ()))) for group in found.values()]


def _rule(row: Row) -> SecurityRule:
    return SecurityRule(
        id=row[4],
        protocol=row[5] or None,
        from_port=None if row[6] == -1 else row[6],
        to_port=None if row[7] == -1 else row[7],
        cidr=row[8] or None,
        source_group_id=row[9] or None,
        source_group_name=row[10],
        source_project_id=row[11],
    )
