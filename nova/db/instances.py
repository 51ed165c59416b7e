"""Instances: one row holds all that a view needs, and leaves the database as JSON.

Columns of their own are what is filtered, sorted or swapped; ``body`` is the JSON of the other fields.  The
database puts the pieces together (:data:`AS_JSON`), so reading an instance is one value of one row however
many fields it has, and a whole page can be passed on without being decoded.  Deleted instances stay until
they are archived.

:func:`swap` alone writes ``vm_state``, ``task_state`` and ``power_state``; :func:`edit` writes what users may
change.  Both let ``revision`` grow.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence

import msgspec
import sqlalchemy as sa

from nova.db import tags
from nova.db.batch import Insert
from nova.db.dialects import as_text, concat, json_quote
from nova.db.engine import Row, Tx
from nova.db.schema import (
    BIG,
    COUNT,
    FLAG,
    JSON,
    MOMENT,
    NAME,
    UUID,
    WORD,
    arg,
    args,
    needed,
    stamp,
    table,
    text,
)
from nova.db.statements import Statement
from nova.errors import Conflict
from nova.objects.ids import HostName, InstanceId, ProjectId
from nova.objects.instance import Instance
from nova.objects.states import Power, Task, Vm

INSTANCES = table(
    "instances",
    sa.Column("id", UUID, primary_key=True),
    needed("project_id", NAME),
    needed("user_id", NAME),
    needed("vm_state", WORD),
    needed("task_state", WORD),
    needed("power_state", FLAG),
    needed("host", NAME),
    needed("node", NAME),
    needed("availability_zone", NAME),
    needed("locked_by", WORD),
    needed("locked_reason", NAME),
    needed("progress", FLAG),
    needed("revision", COUNT),
    needed("stamp", UUID),
    needed("deleted", FLAG),
    needed("created_at", MOMENT),
    needed("changed_at", MOMENT),
    needed("launched_at", MOMENT),
    needed("terminated_at", MOMENT),
    needed("deleted_at", MOMENT),
    needed("display_name", NAME),
    needed("hostname", NAME),
    needed("description", NAME),
    needed("key_name", NAME),
    needed("reservation_id", WORD),
    needed("flavor_id", NAME),
    needed("image_id", NAME),
    needed("launch_index", COUNT),
    needed("root_device_name", NAME),
    needed("access_ip_v4", text(39)),
    needed("access_ip_v6", text(39)),
    needed("auto_disk_config", FLAG),
    needed("config_drive", FLAG),
    needed("server_group_id", UUID),
    needed("vcpus", COUNT),
    needed("ram_mb", COUNT),
    needed("local_gb", COUNT),
    needed("body", JSON),
    needed("metadata", JSON),
    needed("tags", JSON),
    needed("vifs", JSON),
    needed("security_groups", JSON),
    needed("block_devices", JSON),
    needed("fault", JSON),
    sa.Index("instances_of_project", "project_id", "deleted", "created_at", "id"),
    sa.Index("instances_by_age", "deleted", "created_at", "id"),
    sa.Index("instances_of_host", "host", "deleted"),
    sa.Index("instances_of_reservation", "reservation_id"),
    sa.Index("instances_changed", "changed_at"),
)
T = INSTANCES.c

_PARTS = ("metadata", "tags", "vifs", "security_groups", "block_devices", "fault")
_STATE = (
    "vm_state",
    "task_state",
    "power_state",
    "host",
    "node",
    "availability_zone",
    "locked_by",
    "locked_reason",
    "progress",
    "revision",
    "launched_at",
    "terminated_at",
    "deleted_at",
    "updated_at",
    "host_status",
)
_SHAPE = (
    "project_id", "user_id", "display_name", "hostname", "description", "key_name", "reservation_id",
    "flavor_id", "image_id", "launch_index", "root_device_name", "access_ip_v4", "access_ip_v6",
    "auto_disk_config", "config_drive", "server_group_id", "vcpus", "ram_mb", "local_gb", "body", *_PARTS,
)  # fmt: skip

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Instance).decode


def _if(condition: sa.ColumnElement[bool], *pieces: object) -> sa.ColumnElement[str]:
    return sa.case((condition, concat(*pieces)), else_=sa.literal_column("''"))


def _const(words: str) -> sa.ColumnElement[str]:
    return sa.literal_column(f"'{words}'")


def _string(name: str) -> sa.ColumnElement[str]:
    """Return ``,"name":"..."`` for a column of plain words, or nothing."""
    return _if(T[name] != _const(""), _const(f',"{name}":"'), T[name], _const('"'))


def _free(name: str) -> sa.ColumnElement[str]:
    """Return the same for a column that may hold any text."""
    return _if(T[name] != _const(""), _const(f',"{name}":'), json_quote(T[name]))


def _part(name: str) -> sa.ColumnElement[str]:
    return _if(T[name] != _const(""), _const(f',"{name}":'), T[name])


AS_JSON = concat(
    _const("{"),
    T.body,
    _const(',"vm_state":"'),
    T.vm_state,
    _const('","power_state":'),
    as_text(T.power_state),
    _const(',"revision":'),
    as_text(T.revision),
    _string("task_state"),
    _string("locked_by"),
    *(_free(name) for name in ("host", "node", "availability_zone", "locked_reason")),
    _if(T.progress != 0, _const(',"progress":'), as_text(T.progress)),
    *(_string(name) for name in ("launched_at", "terminated_at", "deleted_at")),
    _if(T.revision != 0, _const(',"updated_at":"'), T.changed_at, _const('"')),
    *(_part(name) for name in _PARTS),
    _const("}"),
).label("json")
"""The whole instance, as msgspec would write it (without ``host_status``, which is no fact of the row)."""


def _shape(instance: Instance) -> tuple[object, ...]:
    """Return the values of the columns that :func:`edit` may write, in the order of ``_SHAPE``."""
    body = msgspec.structs.replace(
        instance,
        metadata={}, tags=(), vifs=(), security_groups=(), block_devices=(), fault=None,
        task_state=None, power_state=Power.NOSTATE, host=None, node=None, availability_zone=None,
        locked_by=None, locked_reason=None, progress=0, revision=0, launched_at=None, terminated_at=None,
        deleted_at=None, updated_at=None, host_status="",
    )  # fmt: skip
    flavor = instance.flavor
    return (
        instance.project_id, instance.user_id, instance.display_name, instance.hostname,
        instance.description or "", instance.key_name or "", instance.reservation_id, flavor.id,
        instance.image.id if instance.image else "", instance.launch_index, instance.root_device_name or "",
        instance.access_ip_v4 or "", instance.access_ip_v6 or "", int(instance.auto_disk_config),
        int(instance.config_drive), instance.server_group_id or "", flavor.vcpus, flavor.ram_mb,
        flavor.root_gb + flavor.ephemeral_gb, _body(body), *(part(instance, name) for name in _PARTS),
    )  # fmt: skip


def _body(instance: Instance) -> str:
    """Return the fields without braces, and without ``vm_state``, which the struct always writes."""
    whole = _encode(instance)
    word = b',"vm_state":"' + instance.vm_state.encode() + b'"'
    return whole[1:-1].replace(word, b"", 1).decode()


def part(instance: Instance, name: str) -> str:
    """Return one of the JSON columns; empty values are the empty string."""
    value = getattr(instance, name)
    return _encode(value).decode() if value else ""


_COLUMNS = (
    "id", "vm_state", "task_state", "power_state", "host", "node", "availability_zone", "locked_by",
    "locked_reason", "progress", "revision", "stamp", "deleted", "created_at", "changed_at", "launched_at",
    "terminated_at", "deleted_at", *_SHAPE,
)  # fmt: skip
_INSERT = Insert(INSTANCES, _COLUMNS)


def insert_many(tx: Tx, instances: Sequence[Instance]) -> None:
    """Store new instances, with their tags; raises ``Duplicate`` when an id is taken."""
    _INSERT.run(tx, [_row(instance) for instance in instances])
    tags.insert(tx, [(instance.id, tag) for instance in instances for tag in instance.tags])


def _row(instance: Instance) -> Row:
    created = stamp(instance.created_at)
    return (
        instance.id, instance.vm_state.value, instance.task_state.value if instance.task_state else "",
        int(instance.power_state), instance.host or "", instance.node or "", instance.availability_zone or "",
        instance.locked_by or "", instance.locked_reason or "", instance.progress, instance.revision, "",
        int(instance.is_deleted), created, stamp(instance.updated_at) or created,
        stamp(instance.launched_at), stamp(instance.terminated_at), stamp(instance.deleted_at),
        *_shape(instance),
    )  # fmt: skip


_SHOW = Statement(sa.select(AS_JSON).where(T.id == arg("id")))
_SHOW_MANY = Statement(sa.select(AS_JSON).where(T.id.in_(args("ids"))))
_OF_HOST = Statement(
    sa.select(AS_JSON).where(T.host == arg("host"), T.deleted == 0).order_by(T.created_at, T.id)
)
_STATES = Statement(sa.select(T.id, T.vm_state, T.task_state, T.power_state, T.host, T.revision, T.deleted)
                    .where(T.id.in_(args("ids"))))  # fmt: skip


def show_raw(tx: Tx, instance_id: InstanceId) -> str | None:
    """Return the JSON of an instance, deleted or not; None when there is none."""
    row = tx.row(_SHOW, id=instance_id)
    return row[0] if row else None


def show(tx: Tx, instance_id: InstanceId) -> Instance | None:
    """Return an instance, deleted or not; None when there is none."""
    row = tx.row(_SHOW, id=instance_id)
    return _decode(row[0]) if row else None


def show_many(tx: Tx, ids: Sequence[InstanceId]) -> dict[InstanceId, Instance]:
    """Return those of the instances that exist, deleted or not."""
    found = [_decode(json) for (json,) in tx.rows(_SHOW_MANY, ids=ids)] if ids else []
    return {instance.id: instance for instance in found}


def of_host(tx: Tx, host: HostName) -> list[Instance]:
    """Return the instances of a host, oldest first."""
    return [_decode(json) for (json,) in tx.rows(_OF_HOST, host=host)]


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


_EDIT = Statement(
    sa.update(INSTANCES)
    .values({name: arg(name) for name in (*_SHAPE, "changed_at")} | {"revision": T.revision + 1})
    .where(T.id == arg("id"), T.revision == arg("revision"), T.deleted == 0)
)


def edit(
    tx: Tx, instance_id: InstanceId, change: Callable[[Instance], Instance], now: datetime.datetime
) -> Instance | None:
    """Change what is no state (name, metadata, tags, groups, flavor, image, disks, ...) of a living instance.

    ``change`` gets the instance and returns the changed one; it may refuse by raising, and is called again
    when somebody else was faster.  State fields that it changes are not written.  None: there is no such
    instance.
    """
    for _ in range(20):
        before = show(tx, instance_id)
        if before is None or before.is_deleted:
            return None
        after = change(before)
        if after is before or after == before:
            return before
        values = dict(zip(_SHAPE, _shape(after), strict=True))
        if tx.change(_EDIT, id=instance_id, revision=before.revision, changed_at=stamp(now), **values):
            if before.tags != after.tags:
                tags.replace(tx, instance_id, before.tags, after.tags)
            return msgspec.structs.replace(after, revision=before.revision + 1, updated_at=now)
    raise Conflict(reason=f"Instance {instance_id} is changed by others all the time. Please try again.")


_COUNT = Statement(
    sa.select(
        sa.func.count(), sa.func.coalesce(sa.func.sum(T.vcpus), 0), sa.func.coalesce(sa.func.sum(T.ram_mb), 0)
    ).where(T.project_id == arg("project"), T.deleted == 0)
)
_ON_HOSTS = Statement(
    sa.select(T.host, sa.func.count()).where(T.host.in_(args("hosts")), T.deleted == 0).group_by(T.host)
)


def use_of(tx: Tx, project: ProjectId) -> tuple[int, int, int]:
    """Count the living instances of a project, their vCPUs and their RAM in MB."""
    row = tx.row(_COUNT, project=project)
    assert row is not None
    return int(row[0]), int(row[1]), int(row[2])


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
    return [_decode(json) for (json,) in rows]
