"""The table of instances, and how its rows and :class:`~nova.objects.instance.Instance` become each other.

Columns of their own are what is filtered, sorted or swapped; ``body`` is the JSON of the other fields.  The
database puts the pieces together (:data:`AS_JSON`), so reading an instance is one value of one row however
many fields it has, and a whole page can be passed on without being decoded.
"""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from nova.db.dialects import as_text, concat, json_quote
from nova.db.engine import Row
from nova.db.schema import (
    COUNT,
    FLAG,
    JSON,
    MOMENT,
    NAME,
    UUID,
    WORD,
    needed,
    stamp,
    table,
    text,
)
from nova.objects.instance import Instance
from nova.objects.states import Power

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
SHAPE = (
    "project_id", "user_id", "display_name", "hostname", "description", "key_name", "reservation_id",
    "flavor_id", "image_id", "launch_index", "root_device_name", "access_ip_v4", "access_ip_v6",
    "auto_disk_config", "config_drive", "server_group_id", "vcpus", "ram_mb", "local_gb", "body", *_PARTS,
)  # fmt: skip

_encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Instance).decode


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


def shape(instance: Instance) -> tuple[object, ...]:
    """Return the values of the columns that :func:`edit` may write, in the order of ``SHAPE``."""
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


COLUMNS = (
    "id", "vm_state", "task_state", "power_state", "host", "node", "availability_zone", "locked_by",
    "locked_reason", "progress", "revision", "stamp", "deleted", "created_at", "changed_at", "launched_at",
    "terminated_at", "deleted_at", *SHAPE,
)  # fmt: skip


def row_of(instance: Instance) -> Row:
    """Return a whole row, in the order of ``COLUMNS``."""
    created = stamp(instance.created_at)
    return (
        instance.id, instance.vm_state.value, instance.task_state.value if instance.task_state else "",
        int(instance.power_state), instance.host or "", instance.node or "", instance.availability_zone or "",
        instance.locked_by or "", instance.locked_reason or "", instance.progress, instance.revision, "",
        int(instance.is_deleted), created, stamp(instance.updated_at) or created,
        stamp(instance.launched_at), stamp(instance.terminated_at), stamp(instance.deleted_at),
        *shape(instance),
    )  # fmt: skip
