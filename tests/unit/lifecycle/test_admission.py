"""Every action in every state: refused with the first reason a client expects, or admitted."""

from __future__ import annotations

import itertools

import pytest

from nova.errors.servers import (
    InstanceHasNoHost,
    InstanceInWrongState,
    InstanceLocked,
    InstanceNeverLaunched,
)
from nova.lifecycle.actions import ACTIONS, Action
from nova.lifecycle.admission import check, refusal
from nova.objects.states import LockedBy, Task, Vm
from tests.contract.db.makers import NOW, instance

STATES = list(itertools.product(Vm, (None, *Task)))


@pytest.mark.parametrize("action", ACTIONS.values(), ids=lambda a: a.name)
def test_a_launched_server_on_a_host_is_judged_by_its_states_alone(action: Action) -> None:
    for vm, task in STATES:
        server = instance(vm_state=vm, task_state=task, host="one", launched_at=NOW)
        error = refusal(action, server, is_admin=False)
        if vm in action.vm and task in action.task:
            assert error is None, (vm, task)
            check(action, server, is_admin=False)
            continue
        assert isinstance(error, InstanceInWrongState), (vm, task)
        assert error.facts["attribute"] == ("task_state" if vm in action.vm else "vm_state")
        assert error.http == 409
        with pytest.raises(InstanceInWrongState):
            check(action, server, is_admin=False)


@pytest.mark.parametrize("action", ACTIONS.values(), ids=lambda a: a.name)
def test_a_lock_comes_first_and_does_not_stop_administrators(action: Action) -> None:
    for vm, task in STATES:
        server = instance(vm_state=vm, task_state=task, host="one", launched_at=NOW, locked_by=LockedBy.OWNER)
        found = refusal(action, server, is_admin=False)
        assert isinstance(found, InstanceLocked) == action.lockable
        assert not isinstance(refusal(action, server, is_admin=True), InstanceLocked)


@pytest.mark.parametrize("action", ACTIONS.values(), ids=lambda a: a.name)
def test_what_never_ran_or_has_no_host_is_refused_where_the_table_says(action: Action) -> None:
    vm = next(iter(sorted(action.vm)))
    task = None if None in action.task else next(iter(action.task))
    never = refusal(action, instance(vm_state=vm, task_state=task, host="one"), is_admin=False)
    assert isinstance(never, InstanceNeverLaunched) == action.needs_launched
    homeless = refusal(action, instance(vm_state=vm, task_state=task, launched_at=NOW), is_admin=False)
    assert isinstance(homeless, InstanceHasNoHost) == action.needs_host


def test_users_asked_for_a_reboot() -> None:
    server = instance(vm_state=Vm.STOPPED, host="one", launched_at=NOW)
    error = refusal(ACTIONS["reboot_soft"], server, is_admin=False)
    assert str(error) == f"Cannot 'reboot' instance {server.id} while it is in vm_state stopped"
