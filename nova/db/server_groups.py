"""Server groups: their members, and on which hosts these are.

``server_group_hosts`` counts the members on each host; :func:`join_hosts` grows a count only within the
group's rule, so anti-affinity and affinity hold however many claims race.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from nova.db.batch import Insert
from nova.db.engine import Row, TryAgain, Tx
from nova.db.schema import BIG, COUNT, NAME, UUID, WORD, arg, args, needed, table
from nova.db.statements import Statement
from nova.objects.ids import GroupId, HostName, InstanceId, ProjectId, UserId
from nova.objects.placement import GroupNeed
from nova.objects.server_group import ServerGroup

GROUPS = table(
    "server_groups",
    sa.Column("number", COUNT, primary_key=True, autoincrement=True),
    needed("id", UUID, unique=True),
    needed("name", NAME),
    needed("policy", WORD),
    needed("max_per_host", COUNT),
    needed("project_id", NAME),
    needed("user_id", NAME),
    needed("only_host", NAME),
    sa.Index("server_groups_of_project", "project_id"),
)
"""``max_per_host`` 0 = not given; ``only_host`` is where an affinity group is."""
MEMBERS = table(
    "server_group_members",
    sa.Column("group_id", UUID, primary_key=True),
    sa.Column("instance_id", UUID, primary_key=True),
    needed("host", NAME),
    sa.Index("server_group_members_of_instance", "instance_id"),
)
HOSTS = table(
    "server_group_hosts",
    sa.Column("group_id", UUID, primary_key=True),
    sa.Column("host", NAME, primary_key=True),
    needed("members", COUNT),
)
G, M, H = GROUPS.c, MEMBERS.c, HOSTS.c
_COLUMNS = ("id", "name", "policy", "max_per_host", "project_id", "user_id")
_INSERT = Insert(GROUPS, (*_COLUMNS, "only_host"))
_JOIN = Insert(MEMBERS, ("group_id", "instance_id", "host"))
_SELECT = sa.select(*(G[name] for name in _COLUMNS), M.instance_id).select_from(
    GROUPS.outerjoin(MEMBERS, M.group_id == G.id)
)
_SHOW = Statement(_SELECT.where(G.id == arg("id")).order_by(M.instance_id))
_LIST = Statement(_SELECT.order_by(G.number, M.instance_id))
_OF_PROJECT = Statement(_SELECT.where(G.project_id == arg("project")).order_by(G.number, M.instance_id))
_DELETE = Statement(sa.delete(GROUPS).where(G.id == arg("id")))
_DELETE_MEMBERS = Statement(sa.delete(MEMBERS).where(M.group_id == arg("id")))
_DELETE_HOSTS = Statement(sa.delete(HOSTS).where(H.group_id == arg("id")))
_COUNT_OF_USER = Statement(
    sa.select(sa.func.count()).where(G.project_id == arg("project"), G.user_id == arg("user"))
)
_COUNT = Statement(sa.select(sa.func.count()).where(M.group_id == arg("id")))


def insert(tx: Tx, group: ServerGroup) -> None:
    """Store a new, empty group."""
    row = (
        group.id, group.name, group.policy, group.max_per_host or 0, group.project_id, group.user_id, "",
    )  # fmt: skip
    _INSERT.run(tx, [row])


def get(tx: Tx, group_id: GroupId) -> ServerGroup | None:
    """Return a group with its members, or None."""
    groups = _groups(tx.rows(_SHOW, id=group_id))
    return groups[0] if groups else None


def list_groups(tx: Tx, project: ProjectId | None = None) -> list[ServerGroup]:
    """Return the groups of a project, or all, oldest first."""
    return _groups(tx.rows(_LIST) if project is None else tx.rows(_OF_PROJECT, project=project))


def count_of(tx: Tx, project: ProjectId, user: UserId) -> int:
    """Count the groups that a user made in a project."""
    row = tx.row(_COUNT_OF_USER, project=project, user=user)
    return int(row[0]) if row else 0


def delete(tx: Tx, group_id: GroupId) -> bool:
    """Remove a group and its memberships; False when there is none."""
    tx.change(_DELETE_MEMBERS, id=group_id)
    tx.change(_DELETE_HOSTS, id=group_id)
    return bool(tx.change(_DELETE, id=group_id))


_LOCK = Statement(sa.update(GROUPS).values(only_host=G.only_host).where(G.id == arg("id")))


def join(tx: Tx, group_id: GroupId, instances: Sequence[InstanceId], limit: int = -1) -> bool:
    """Make new instances members (on no host yet); False when the group is gone or would exceed ``limit``.

    The group's row is locked first, so that racing creates are counted one after the other.
    """
    if not tx.change(_LOCK, id=group_id):
        return False
    if limit >= 0:
        row = tx.row(_COUNT, id=group_id)
        if row is not None and row[0] + len(instances) > limit:
            return False
    _JOIN.run(tx, [(group_id, instance, "") for instance in instances])
    return True


_SIT = Statement(
    sa.update(MEMBERS)
    .values(host=arg("host"))
    .where(M.group_id == arg("id"), M.instance_id.in_(args("instances")), M.host == "")
)
_MAKE_HOST = Insert(HOSTS, ("group_id", "host", "members"), if_missing=True)
_GROW = Statement(
    sa.update(HOSTS)
    .values(members=H.members + arg("n", BIG))
    .where(
        H.group_id == arg("id"),
        H.host == arg("host"),
        sa.or_(arg("most", BIG) <= 0, H.members + arg("n", BIG) <= arg("most", BIG)),
    )
)
_SETTLE = Statement(
    sa.update(GROUPS).values(only_host=arg("host")).where(G.id == arg("id"), G.only_host.in_(args("allowed")))
)
_SEATS = Statement(
    sa.select(M.instance_id, M.host).where(M.group_id == arg("id"), M.instance_id.in_(args("ids")))
)


def join_hosts(tx: Tx, group: ServerGroup, seats: Sequence[tuple[InstanceId, HostName]]) -> set[InstanceId]:
    """Put members on hosts as far as the group's rule allows; return those that are where they were to go.

    Belongs into the transaction that claims.  A member that is on its host already counts as won.
    """
    if not seats:
        return set()
    now_on: dict[InstanceId, HostName] = dict(
        tx.rows(_SEATS, id=group.id, ids=[instance for instance, _ in seats])
    )
    won = {instance for instance, host in seats if now_on.get(instance) == host}
    by_host: dict[HostName, list[InstanceId]] = {}
    for instance, host in seats:
        if now_on.get(instance) == "":
            by_host.setdefault(host, []).append(instance)
    most = (group.max_per_host or 1) if group.policy == "anti-affinity" else 0
    for host, instances in sorted(by_host.items()):
        if group.policy == "affinity" and not tx.change(_SETTLE, id=group.id, host=host, allowed=["", host]):
            continue
        for n in range(len(instances), 0, -1):
            if _grow(tx, group.id, host, n, most):
                seated = instances[:n]
                if tx.change(_SIT, id=group.id, host=host, instances=seated) != n:
                    raise TryAgain()  # one of them was seated by somebody else just now
                won.update(seated)
                break
    return won


def _grow(tx: Tx, group_id: GroupId, host: HostName, n: int, most: int) -> bool:
    if most and n > most:
        return False
    if tx.change(_GROW, id=group_id, host=host, n=n, most=most):
        return True
    _MAKE_HOST.run(tx, [(group_id, host, 0)])
    return bool(tx.change(_GROW, id=group_id, host=host, n=n, most=most))


_OF_INSTANCES = Statement(
    sa.select(M.group_id, M.instance_id, M.host).where(M.instance_id.in_(args("ids"))).order_by(M.group_id)
)
_UNSEAT = Statement(
    sa.update(MEMBERS)
    .values(host="")
    .where(M.group_id == arg("id"), M.instance_id == arg("instance"), M.host == arg("host"))
)
_REMOVE = Statement(sa.delete(MEMBERS).where(M.group_id == arg("id"), M.instance_id == arg("instance")))
_SHRINK = Statement(
    sa.update(HOSTS).values(members=H.members - 1).where(H.group_id == arg("id"), H.host == arg("host"))
)
_SWEEP = Statement(sa.delete(HOSTS).where(H.group_id == arg("id"), H.members <= 0))
_UNSETTLE = Statement(
    sa.update(GROUPS)
    .values(only_host="")
    .where(G.id == arg("id"), ~sa.exists().where(H.group_id == G.id, H.members > 0))
)


def need(tx: Tx, group_id: GroupId) -> GroupNeed | None:
    """Return what a scheduler must know of a group, or None when there is none."""
    rows = tx.rows(_NEED, id=group_id)
    if not rows:
        return None
    return GroupNeed(
        id=group_id,
        policy=rows[0][0],
        max_per_host=rows[0][1] or 1,
        hosts={row[2]: row[3] for row in rows if row[2] is not None},
    )


def occupy(tx: Tx, group_id: GroupId, instance: InstanceId, host: HostName) -> bool:
    """Put one member on a host if the group's rule allows; a group that is gone has no rule."""
    row = tx.row(_RULE, id=group_id)
    if row is None:
        return True
    rule = ServerGroup(
        id=group_id, name="", policy=row[0], max_per_host=row[1] or None, project_id=row[2], user_id=row[3]
    )
    return instance in join_hosts(tx, rule, [(instance, host)])


def vacate(tx: Tx, instances: Sequence[InstanceId]) -> None:
    """Take members off their hosts (a failed build goes elsewhere); they stay members. Idempotent."""
    for group_id, instance, host in tx.rows(_OF_INSTANCES, ids=instances) if instances else ():
        if host and tx.change(_UNSEAT, id=group_id, instance=instance, host=host):
            _left(tx, group_id, host)


def leave(tx: Tx, instances: Sequence[InstanceId]) -> None:
    """End the membership of deleted instances. Idempotent."""
    vacate(tx, instances)
    for group_id, instance, _ in tx.rows(_OF_INSTANCES, ids=instances) if instances else ():
        tx.change(_REMOVE, id=group_id, instance=instance)


def _left(tx: Tx, group_id: GroupId, host: HostName) -> None:
    tx.change(_SHRINK, id=group_id, host=host)
    tx.change(_SWEEP, id=group_id)
    tx.change(_UNSETTLE, id=group_id)


_RULE = Statement(sa.select(G.policy, G.max_per_host, G.project_id, G.user_id).where(G.id == arg("id")))
_NEED = Statement(
    sa.select(G.policy, G.max_per_host, H.host, H.members)
    .select_from(GROUPS.outerjoin(HOSTS, sa.and_(H.group_id == G.id, H.members > 0)))
    .where(G.id == arg("id"))
)
_HOSTS_OF = Statement(sa.select(H.host, H.members).where(H.group_id == arg("id"), H.members > 0))


def hosts_of(tx: Tx, group_id: GroupId) -> dict[HostName, int]:
    """Return how many members are on each host."""
    return dict(tx.rows(_HOSTS_OF, id=group_id))


def _groups(rows: Sequence[Row]) -> list[ServerGroup]:
    found: dict[str, ServerGroup] = {}
    members: dict[str, list[InstanceId]] = {}
    for row in rows:
        if row[0] not in found:
            found[row[0]] = ServerGroup(
                id=row[0],
                name=row[1],
                policy=row[2],
                max_per_host=row[3] or None,
                project_id=row[4],
                user_id=row[5],
            )
        if row[6] is not None:
            members.setdefault(row[0], []).append(row[6])
    return [
        msgspec.structs.replace(group, members=tuple(members.get(group.id, ()))) for group in found.values()
    ]
