"""The only writer of an instance's state: compare and swap, many at once."""

from __future__ import annotations

import datetime
import functools
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import UNSET, UnsetType

from nova import ids
from nova.db.batch import Update
from nova.db.engine import Tx
from nova.db.instance_table import INSTANCES, T
from nova.db.schema import arg, args, stamp
from nova.db.statements import Statement
from nova.objects.block_device import BlockDevice
from nova.objects.ids import HostName, InstanceId, NodeName
from nova.objects.instance import Fault
from nova.objects.network import Vif
from nova.objects.states import LockedBy, Power, Task, Vm

_encode = msgspec.json.Encoder().encode


ANY = KEEP = UNSET
"""A task state that may be anything; a column that stays as it is."""


class Swap(msgspec.Struct, frozen=True, kw_only=True):
    """One conditional change: what is expected, then what becomes of it."""

    id: InstanceId
    expect_vm: frozenset[Vm] | None = None
    """The change happens only if ``vm_state`` is one of these; None: whatever it is."""
    expect_task: frozenset[Task | None] | UnsetType = ANY
    expect_deleted: bool | None = False
    expect_revision: int | None = None
    expect_host: HostName | None = None
    vm: Vm | UnsetType = KEEP
    task: Task | UnsetType | None = KEEP
    power: Power | UnsetType = KEEP
    host: HostName | UnsetType | None = KEEP
    node: NodeName | UnsetType | None = KEEP
    zone: str | UnsetType | None = KEEP
    locked_by: LockedBy | UnsetType | None = KEEP
    locked_reason: str | UnsetType | None = KEEP
    progress: int | UnsetType = KEEP
    launched_at: datetime.datetime | UnsetType | None = KEEP
    terminated_at: datetime.datetime | UnsetType | None = KEEP
    deleted_at: datetime.datetime | UnsetType | None = KEEP
    fault: Fault | UnsetType | None = KEEP
    vifs: tuple[Vif, ...] | UnsetType = KEEP
    block_devices: tuple[BlockDevice, ...] | UnsetType = KEEP

    def columns(self) -> dict[str, Any]:
        """Return what is to be written, by column."""
        values = {}
        for name, column in _COLUMNS.items():
            value = getattr(self, name)
            if value is not KEEP:
                values[column] = _stored(name, value)
        if "deleted_at" in values:
            values["deleted"] = 1 if values["deleted_at"] else 0
        return values

    def expectation(self) -> tuple[Any, ...]:
        """Return what is expected; swaps that expect the same share a statement."""
        return self.expect_vm, self.expect_task, self.expect_deleted, self.expect_revision, self.expect_host


_COLUMNS = {
    "vm": "vm_state",
    "task": "task_state",
    "power": "power_state",
    "zone": "availability_zone",
    **{
        name: name
        for name in (
            "host",
            "node",
            "locked_by",
            "locked_reason",
            "progress",
            "launched_at",
            "terminated_at",
            "deleted_at",
            "fault",
            "vifs",
            "block_devices",
        )
    },
}


class Winners(Mapping[InstanceId, int]):
    """The instances that were as expected, each with its new revision.

    Revisions are read when the first one is asked for; whoever only wants to know who won pays nothing.
    """

    def __init__(self, tx: Tx, won: set[InstanceId]) -> None:
        self._tx = tx
        self._won = won
        self._revisions: dict[InstanceId, int] | None = None

    def __contains__(self, instance_id: object) -> bool:
        return instance_id in self._won

    def __iter__(self) -> Iterator[InstanceId]:
        return iter(self._won)

    def __len__(self) -> int:
        return len(self._won)

    def __getitem__(self, instance_id: InstanceId) -> int:
        if self._revisions is None:
            self._revisions = dict(self._tx.rows(_REVISIONS, ids=sorted(self._won))) if self._won else {}
        return self._revisions[instance_id]


def swap(tx: Tx, swaps: Sequence[Swap]) -> Winners:
    """Change those instances that are as expected; tell which were (each id at most once per call).

    Swaps with the same expectation and the same columns make one statement.
    """
    groups: dict[tuple[Any, ...], list[tuple[Swap, dict[str, Any]]]] = defaultdict(list)
    for one in swaps:
        columns = one.columns()
        groups[*one.expectation(), *columns].append((one, columns))
    won: set[InstanceId] = set()
    for members in groups.values():
        won |= _swap_group(tx, members)
    return Winners(tx, won)


def _swap_group(tx: Tx, members: list[tuple[Swap, dict[str, Any]]]) -> set[InstanceId]:
    token = ids.new_uuid()
    wanted = [one.id for one, _ in members]
    expected, first = members[0]
    now = stamp(tx.now)
    if all(columns == first for _, columns in members):
        matched = tx.change(
            _same(tuple(first), _kinds(expected), len(wanted) == 1),
            ids=wanted,
            id=wanted[0],
            stamp=token,
            changed_at=now,
            **_expected(expected),
            **first,
        )
    else:
        if expected.expect_revision is not None or expected.expect_host is not None:
            raise ValueError("swaps that expect a revision or a host must all change the same")
        update = _each(tuple(first), expected.expect_vm, expected.expect_task, expected.expect_deleted)
        matched = update.run(
            tx, [(one.id, *columns.values()) for one, columns in members], extra=(token, now)
        )
    if matched == len(wanted):
        return set(wanted)
    if not matched:
        return set()
    return {row[0] for row in tx.rows(_STAMPED, ids=wanted, stamp=token)}


def _expected(one: Swap) -> dict[str, Any]:
    params: dict[str, Any] = {"revision": one.expect_revision, "expected_host": one.expect_host}
    if one.expect_vm is not None:
        params["vm_states"] = [state.value for state in one.expect_vm]
    if one.expect_task is not ANY:
        params["task_states"] = [state.value if state else "" for state in one.expect_task]
    return params


_REVISIONS = Statement(sa.select(T.id, T.revision).where(T.id.in_(args("ids"))))
_STAMPED = Statement(sa.select(T.id).where(T.id.in_(args("ids")), T.stamp == arg("stamp")))
_Kinds = tuple[bool, bool, bool | None, bool, bool]


def _kinds(one: Swap) -> _Kinds:
    return (
        one.expect_vm is not None,
        one.expect_task is not ANY,
        one.expect_deleted,
        one.expect_revision is not None,
        one.expect_host is not None,
    )


@functools.lru_cache(maxsize=512)
def _same(columns: tuple[str, ...], kinds: _Kinds, single: bool) -> Statement:
    values: dict[str, Any] = {name: arg(name) for name in columns}
    values |= {"stamp": arg("stamp"), "changed_at": arg("changed_at"), "revision": T.revision + 1}
    where = [T.id == arg("id") if single else T.id.in_(args("ids"))]
    vm, task, deleted, revision, host = kinds
    if deleted is not None:
        where.append(T.deleted == int(deleted))
    if vm:
        where.append(T.vm_state.in_(args("vm_states")))
    if task:
        where.append(T.task_state.in_(args("task_states")))
    if revision:
        where.append(T.revision == arg("revision"))
    if host:
        where.append(T.host == arg("expected_host"))
    return Statement(sa.update(INSTANCES).values(values).where(*where))


@functools.lru_cache(maxsize=512)
def _each(
    columns: tuple[str, ...],
    vm: frozenset[Vm] | None,
    task: frozenset[Task | None] | UnsetType,
    deleted: bool | None,
) -> Update:
    where = [] if deleted is None else [f"t.deleted = {int(deleted)}"]
    if vm is not None:
        where.append(_among("vm_state", [state.value for state in vm]))
    if task is not ANY:
        where.append(_among("task_state", [state.value if state else "" for state in task]))
    return Update(
        INSTANCES,
        key="id",
        sets=columns,
        always=(("stamp", "?"), ("changed_at", "?"), ("revision", "t.revision + 1")),
        where=" AND ".join(where),
    )


def _among(column: str, words: list[str]) -> str:
    # The words are enum members, never a user's.
    return f"t.{column} IN ({', '.join(repr(word) for word in sorted(words))})" if words else "1 = 0"


def _stored(name: str, value: Any) -> Any:
    if name in {"fault", "vifs", "block_devices"}:
        return _encode(value).decode() if value else ""
    if value is None:
        return ""
    if isinstance(value, datetime.datetime):
        return stamp(value)
    return value.value if isinstance(value, Vm | Task | Power | LockedBy) else value
