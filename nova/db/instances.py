"""Instances: one row holds all that a view needs, and leaves the database as JSON.

Deleted instances stay until they are archived.  :func:`swap` alone writes ``vm_state``, ``task_state`` and
``power_state``; :func:`edit` writes what users may change.  Both let ``revision`` grow.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence

import msgspec
import sqlalchemy as sa

from nova.db import tags
from nova.db.batch import Insert
from nova.db.engine import Tx
from nova.db.instance_table import AS_JSON, COLUMNS, INSTANCES, SHAPE, T, decode, row_of, shape
from nova.db.schema import BIG, NAME, arg, args, stamp
from nova.db.statements import Statement
from nova.db.swaps import ANY, KEEP, Swap, Winners, swap
from nova.errors import Conflict
from nova.objects.ids import HostName, InstanceId, ProjectId, UserId
from nova.objects.instance import Instance
from nova.objects.states import Power, Task, Vm

__all__ = [
    "ANY",
    "KEEP",
    "InstanceState",
    "Swap",
    "Winners",
    "count_on",
    "edit",
    "get",
    "get_many",
    "get_raw",
    "hosts_of",
    "insert",
    "lived_in",
    "of_host",
    "states",
    "swap",
    "use_of",
]

_INSERT = Insert(INSTANCES, COLUMNS)


def insert(tx: Tx, instances: Sequence[Instance]) -> None:
    """Store new instances, with their tags; raises ``Duplicate`` when an id is taken."""
    _INSERT.run(tx, [row_of(instance) for instance in instances])
    tags.insert(tx, [(instance.id, tag) for instance in instances for tag in instance.tags])


_SHOW = Statement(sa.select(AS_JSON).where(T.id == arg("id")))
_SHOW_MANY = Statement(sa.select(AS_JSON).where(T.id.in_(args("ids"))))
_OF_HOST = Statement(
    sa.select(AS_JSON).where(T.host == arg("host"), T.deleted == 0).order_by(T.created_at, T.id)
)
_STATES = Statement(sa.select(T.id, T.vm_state, T.task_state, T.power_state, T.host, T.revision, T.deleted)
                    .where(T.id.in_(args("ids"))))  # fmt: skip


def get_raw(tx: Tx, instance_id: InstanceId) -> str | None:
    """Return the JSON of an instance, deleted or not; None when there is none."""
    row = tx.row(_SHOW, id=instance_id)
    return row[0] if row else None


def get(tx: Tx, instance_id: InstanceId) -> Instance | None:
    """Return an instance, deleted or not; None when there is none."""
    row = tx.row(_SHOW, id=instance_id)
    return decode(row[0]) if row else None


def get_many(tx: Tx, ids: Sequence[InstanceId]) -> dict[InstanceId, Instance]:
    """Return those of the instances that exist, deleted or not."""
    found = [decode(json) for (json,) in tx.rows(_SHOW_MANY, ids=ids)] if ids else []
    return {instance.id: instance for instance in found}


def of_host(tx: Tx, host: HostName) -> list[Instance]:
    """Return the instances of a host, oldest first."""
    return [decode(json) for (json,) in tx.rows(_OF_HOST, host=host)]


class InstanceState(msgspec.Struct, frozen=True):
    """The state columns of an instance, without the rest."""

    id: InstanceId
    vm_state: Vm
    task_state: Task | None
    power_state: Power
    host: HostName | None
    revision: int
    deleted: bool


def states(tx: Tx, ids: Sequence[InstanceId]) -> dict[InstanceId, InstanceState]:
    """Return the states of those of the instances that exist, deleted or not."""
    if not ids:
        return {}
    return {
        row[0]: InstanceState(
            row[0],
            Vm(row[1]),
            Task(row[2]) if row[2] else None,
            Power(row[3]),
            row[4] or None,
            row[5],
            bool(row[6]),
        )
        for row in tx.rows(_STATES, ids=ids)
    }


_HOLD = Statement(sa.update(INSTANCES).values(revision=T.revision).where(T.id == arg("id"), T.deleted == 0))


def hold(tx: Tx, instance_id: InstanceId) -> InstanceState | None:
    """Keep a living instance as it is until the transaction ends; return its state, none if it is gone."""
    return states(tx, [instance_id])[instance_id] if tx.change(_HOLD, id=instance_id) else None


_EDIT = Statement(
    sa.update(INSTANCES)
    .values({name: arg(name) for name in (*SHAPE, "changed_at")} | {"revision": T.revision + 1})
    .where(T.id == arg("id"), T.revision == arg("revision"), T.deleted == 0)
)


def edit(tx: Tx, instance_id: InstanceId, change: Callable[[Instance], Instance]) -> Instance | None:
    """Change what is no state (name, metadata, tags, groups, flavor, image, disks, ...) of a living instance.

    ``change`` gets the instance and returns the changed one; it may refuse by raising, and is called again
    when somebody else was faster.  State fields that it changes are not written.  None: there is no such
    instance.
    """
    for _ in range(20):
        before = get(tx, instance_id)
        if before is None or before.is_deleted:
            return None
        after = change(before)
        if after is before or after == before:
            return before
        values = dict(zip(SHAPE, shape(after), strict=True))
        if tx.change(_EDIT, id=instance_id, revision=before.revision, changed_at=stamp(tx.now), **values):
            if before.tags != after.tags:
                tags.replace(tx, instance_id, before.tags, after.tags)
            return msgspec.structs.replace(after, revision=before.revision + 1, updated_at=tx.now)
    raise Conflict(reason=f"Instance {instance_id} is changed by others all the time. Please try again.")


_COUNT = Statement(
    sa.select(
        sa.func.count(), sa.func.coalesce(sa.func.sum(T.vcpus), 0), sa.func.coalesce(sa.func.sum(T.ram_mb), 0)
    ).where(T.project_id == arg("project"), T.deleted == 0)
)
_COUNT_OF_USER = Statement(
    sa.select(
        sa.func.count(), sa.func.coalesce(sa.func.sum(T.vcpus), 0), sa.func.coalesce(sa.func.sum(T.ram_mb), 0)
    ).where(T.project_id == arg("project"), T.user_id == arg("user"), T.deleted == 0)
)
_ON_HOSTS = Statement(
    sa.select(T.host, sa.func.count()).where(T.host.in_(args("hosts")), T.deleted == 0).group_by(T.host)
)


def use_of(tx: Tx, project: ProjectId, user: UserId | None = None) -> tuple[int, int, int]:
    """Count the living instances of a project (or of a user in it), their vCPUs and their RAM in MB."""
    if user is None:
        row = tx.row(_COUNT, project=project)
    else:
        row = tx.row(_COUNT_OF_USER, project=project, user=user)
    assert row is not None
    return int(row[0]), int(row[1]), int(row[2])


_NAMES_ON = Statement(
    sa.select(T.id, T.display_name, T.host, T.node)
    .where(T.host.in_(args("hosts")), T.deleted == 0)
    .order_by(T.created_at, T.id)
)


def names_on(tx: Tx, hosts: Sequence[HostName]) -> list[tuple[InstanceId, str, HostName, str]]:
    """Return id, name, host and node of the living instances of these hosts, oldest first."""
    return [tuple(row) for row in tx.rows(_NAMES_ON, hosts=hosts)] if hosts else []  # type: ignore[misc]


_HOSTS_OF = Statement(sa.select(T.id, T.host).where(T.id.in_(args("ids")), T.project_id == arg("project")))


def hosts_of(tx: Tx, ids: Sequence[InstanceId], project: ProjectId) -> dict[InstanceId, HostName | None]:
    """Return where those of the instances are that a project has."""
    return {row[0]: row[1] or None for row in tx.rows(_HOSTS_OF, ids=ids, project=project)} if ids else {}


def count_on(tx: Tx, hosts: Sequence[HostName]) -> dict[HostName, int]:
    """Count the living instances of each host."""
    return dict(tx.rows(_ON_HOSTS, hosts=hosts)) if hosts else {}


_USAGE = Statement(
    sa.select(AS_JSON)
    .where(
        T.created_at <= arg("end"),
        sa.or_(T.deleted_at == "", T.deleted_at >= arg("start")),
        sa.or_(arg("project", NAME) == "", T.project_id == arg("project", NAME)),
        T.launched_at != "",
        T.launched_at <= arg("end"),
        T.id > arg("marker"),
    )
    .order_by(T.id)
    .limit(arg("limit", BIG))
)


def lived_in(
    tx: Tx,
    start: datetime.datetime,
    end: datetime.datetime,
    *,
    project: ProjectId | None = None,
    marker: str = "",
    limit: int = 1000,
) -> list[Instance]:
    """Return the instances that ran at some time of a period, by id, for usage reports."""
    rows = tx.rows(
        _USAGE, start=stamp(start), end=stamp(end), project=project or "", marker=marker, limit=limit
    )
    return [decode(json) for (json,) in rows]
