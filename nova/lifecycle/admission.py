"""May this action start now?  Pure; the answer is an error to raise or nothing."""

from __future__ import annotations

from nova.errors import NovaError
from nova.errors.servers import (
    InstanceHasNoHost,
    InstanceInWrongState,
    InstanceLocked,
    InstanceNeverLaunched,
)
from nova.lifecycle.actions import Action
from nova.objects.instance import Instance


def refusal(action: Action, instance: Instance, *, is_admin: bool) -> NovaError | None:
    """Return the error that stops this action on this instance now, or None.

    The order of the checks is the one clients see: lock, vm_state, task_state, launched, host.
    """
    if action.lockable and instance.locked_by is not None and not is_admin:
        return InstanceLocked(id=instance.id)
    if instance.vm_state not in action.vm:
        return InstanceInWrongState(
            action=action.word, id=instance.id, attribute="vm_state", state=instance.vm_state.value
        )
    if instance.task_state not in action.task:
        state = instance.task_state.value if instance.task_state else "None"
        return InstanceInWrongState(action=action.word, id=instance.id, attribute="task_state", state=state)
    if action.needs_launched and instance.launched_at is None:
        return InstanceNeverLaunched(action=action.word, id=instance.id)
    if action.needs_host and instance.host is None:
        return InstanceHasNoHost(id=instance.id)
    return None


def check(action: Action, instance: Instance, *, is_admin: bool) -> None:
    """Raise what :func:`refusal` found."""
    error = refusal(action, instance, is_admin=is_admin)
    if error is not None:
        raise error
