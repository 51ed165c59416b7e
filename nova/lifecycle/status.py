"""States to the API's ``status`` words and back (Compute API reference, status mapping)."""

from __future__ import annotations

from nova.objects.states import Task, Vm

_REBUILD = {
    Task.REBUILDING: "REBUILD",
    Task.REBUILD_BLOCK_DEVICE_MAPPING: "REBUILD",
    Task.REBUILD_SPAWNING: "REBUILD",
}
_RESIZE = {
    Task.RESIZE_PREP: "RESIZE",
    Task.RESIZE_MIGRATING: "RESIZE",
    Task.RESIZE_MIGRATED: "RESIZE",
    Task.RESIZE_FINISH: "RESIZE",
}

_TABLE: dict[Vm, tuple[str, dict[Task, str]]] = {
    Vm.ACTIVE: (
        "ACTIVE",
        {
            Task.REBOOTING: "REBOOT",
            Task.REBOOT_PENDING: "REBOOT",
            Task.REBOOT_STARTED: "REBOOT",
            Task.REBOOTING_HARD: "HARD_REBOOT",
            Task.REBOOT_PENDING_HARD: "HARD_REBOOT",
            Task.REBOOT_STARTED_HARD: "HARD_REBOOT",
            Task.UPDATING_PASSWORD: "PASSWORD",
            Task.MIGRATING: "MIGRATING",
            **_REBUILD,
            **_RESIZE,
        },
    ),
    Vm.BUILDING: ("BUILD", {}),
    Vm.STOPPED: ("SHUTOFF", {**_RESIZE, **_REBUILD}),
    Vm.RESIZED: ("VERIFY_RESIZE", {Task.RESIZE_REVERTING: "REVERT_RESIZE"}),
    Vm.PAUSED: ("PAUSED", {Task.MIGRATING: "MIGRATING"}),
    Vm.SUSPENDED: ("SUSPENDED", {}),
    Vm.RESCUED: ("RESCUE", {}),
    Vm.ERROR: ("ERROR", _REBUILD),
    Vm.DELETED: ("DELETED", {}),
    Vm.SOFT_DELETED: ("SOFT_DELETED", {}),
    Vm.SHELVED: ("SHELVED", {}),
    Vm.SHELVED_OFFLOADED: ("SHELVED_OFFLOADED", {}),
}

STATUSES: frozenset[str] = frozenset(
    word for default, special in _TABLE.values() for word in (default, *special.values())
)
_WITH_PROGRESS = frozenset({"ACTIVE", "BUILD", "REBUILD", "RESIZE", "VERIFY_RESIZE", "MIGRATING"})


def status(vm: Vm, task: Task | None) -> str:
    """Return the API's status word."""
    default, special = _TABLE[vm]
    return special.get(task, default) if task is not None else default


def shows_progress(word: str) -> bool:
    """Tell whether a view with this status has ``progress``."""
    return word in _WITH_PROGRESS


def states_of(word: str) -> tuple[tuple[Vm, ...], tuple[Task | None, ...]]:
    """Turn a ``status`` filter into vm_states and task_states; empty task_states = any.

    Unknown words give two empty tuples.
    """
    wanted = word.upper()
    for vm, (default, _) in _TABLE.items():
        if default == wanted:
            return (vm,), ()
    hits = [
        (vm, task) for vm, (_, special) in _TABLE.items() for task, name in special.items() if name == wanted
    ]
    return tuple(dict.fromkeys(vm for vm, _ in hits)), tuple(dict.fromkeys(task for _, task in hits))
