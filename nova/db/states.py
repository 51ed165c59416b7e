"""The only writer of an instance's state: compare and swap, many at once."""

from __future__ import annotations

import datetime
import functools
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import UNSET, UnsetType

from nova import ids
from nova.db.batch import Update
from nova.db.engine import Tx
from nova.db.instances import INSTANCES, T
from nova.db.schema import arg, args, stamp
from nova.db.statements import Statement
from nova.objects.block_device import BlockDevice
from nova.objects.ids import HostName, InstanceId, NodeName
from nova.objects.instance import Fault
from nova.objects.network import Vif
from nova.objects.states import LockedBy, Power, Task, Vm

_encode = msgspec.json.Encoder().encode


class StateChange(msgspec.Struct, frozen=True, kw_only=True):
    """New values of state columns; what is unset stays as it is."""

    vm_state: Vm | UnsetType = UNSET
    task_state: Task | UnsetType | None = UNSET
    power_state: Power | UnsetType = UNSET
    host: HostName | UnsetType | None = UNSET
    node: NodeName | UnsetType | None = UNSET
    availability_zone: str | UnsetType | None = UNSET
    locked_by: LockedBy | UnsetType | None = UNSET
    locked_reason: str | UnsetType | None = UNSET
    progress: int | UnsetType = UNSET
    launched_at: datetime.datetime | UnsetType | None = UNSET
    terminated_at: datetime.datetime | UnsetType | None = UNSET
    deleted_at: datetime.datetime | UnsetType | None = UNSET
    fault: Fault | UnsetType | None = UNSET
    vifs: tuple[Vif, ...] | UnsetType = UNSET
    block_devices: tuple[BlockDevice, ...] | UnsetType = UNSET

    def columns(self) -> dict[str, Any]:
        """Return what is to be written, by column."""
        values = {}
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if value is not UNSET:
                values[name] = _stored(name, value)
        if "deleted_at" in values:
            values["deleted"] = 1 if values["deleted_at"] else 0
        return values


class Swap(msgspec.Struct, frozen=True, kw_only=True):
    """One conditional change of a living instance."""

    id: InstanceId
    to: StateChange
    vm_states: tuple[Vm, ...] | None = None
    """The change happens only if ``vm_state`` is one of these; None: whatever it is."""
    task_states: tuple[Task | None, ...] | None = None
    revision: int | None = None
    host: HostName | None = None


def swap(tx: Tx, swaps: Sequence[Swap], now: datetime.datetime) -> set[InstanceId]:
    """Change those instances that are as expected; return which were (each id at most once per call).

    Swaps with the same expectation and the same columns make one statement.
    """
    groups: dict[tuple[Any, ...], list[tuple[InstanceId, dict[str, Any], Swap]]] = defaultdict(list)
    for one in swaps:
        columns = one.to.columns()
        key = (one.vm_states, one.task_states, one.revision, one.host, tuple(columns))
        groups[key].append((one.id, columns, one))
    won: set[InstanceId] = set()
    for members in groups.values():
        won |= _swap_group(tx, members, stamp(now))
    return won


def _swap_group(tx: Tx, members: list[tuple[InstanceId, dict[str, Any], Swap]], now: str) -> set[InstanceId]:
    token = ids.new_uuid()
    wanted = [instance_id for instance_id, _, _ in members]
    first, expected = members[0][1], members[0][2]
    if all(columns == first for _, columns, _ in members):
        params: dict[str, Any] = dict(first)
        if expected.vm_states is not None:
            params["vm_states"] = [s.value for s in expected.vm_states]
        if expected.task_states is not None:
            params["task_states"] = [s.value if s else "" for s in expected.task_states]
        same = _same(tuple(first), _kinds(expected), len(wanted) == 1)
        matched = tx.change(
            same,
            ids=wanted,
            id=wanted[0],
            stamp=token,
            changed_at=now,
            revision=expected.revision,
            expected_host=expected.host,
            **params,
        )
    else:
        update = _each(tuple(first), expected.vm_states, expected.task_states)
        if expected.revision is not None or expected.host is not None:
            raise ValueError("swaps that name a revision or a host must all change the same")
        matched = update.run(tx, [(i, *columns.values()) for i, columns, _ in members], extra=(token, now))
    if matched == len(wanted):
        return set(wanted)
    if not matched:
        return set()
    return {row[0] for row in tx.rows(_STAMPED, ids=wanted, stamp=token)}


_STAMPED = Statement(sa.select(T.id).where(T.id.in_(args("ids")), T.stamp == arg("stamp")))


def _kinds(expected: Swap) -> tuple[bool, bool, bool, bool]:
    return (
        expected.vm_states is not None,
        expected.task_states is not None,
        expected.revision is not None,
        expected.host is not None,
    )


@functools.lru_cache(maxsize=256)
def _same(columns: tuple[str, ...], kinds: tuple[bool, bool, bool, bool], single: bool) -> Statement:
    values: dict[str, Any] = {name: arg(name) for name in columns}
    values |= {"stamp": arg("stamp"), "changed_at": arg("changed_at"), "revision": T.revision + 1}
    where = [T.id == arg("id") if single else T.id.in_(args("ids")), T.deleted == 0]
    if kinds[0]:
        where.append(T.vm_state.in_(args("vm_states")))
    if kinds[1]:
        where.append(T.task_state.in_(args("task_states")))
    if kinds[2]:
        where.append(T.revision == arg("revision"))
    if kinds[3]:
        where.append(T.host == arg("expected_host"))
    return Statement(sa.update(INSTANCES).values(values).where(*where))


@functools.lru_cache(maxsize=256)
def _each(
    columns: tuple[str, ...], vm_states: tuple[Vm, ...] | None, task_states: tuple[Task | None, ...] | None
) -> Update:
    where = ["t.deleted = 0"]
    if vm_states is not None:
        where.append(_among("vm_state", [s.value for s in vm_states]))
    if task_states is not None:
        where.append(_among("task_state", [s.value if s else "" for s in task_states]))
    return Update(
        INSTANCES,
        key="id",
        sets=columns,
        always=(("stamp", "?"), ("changed_at", "?"), ("revision", "t.revision + 1")),
        where=" AND ".join(where),
    )


def _among(column: str, words: list[str]) -> str:
    # The words are enum members, never a user's.
    return f"t.{column} IN ({', '.join(repr(word) for word in words)})" if words else "1 = 0"


def _stored(name: str, value: Any) -> Any:
    if name in {"fault", "vifs", "block_devices"}:
        return _encode(value).decode() if value else ""
    if value is None:
        return ""
    if isinstance(value, datetime.datetime):
        return stamp(value)
    return value.value if isinstance(value, Vm | Task | Power | LockedBy) else value
