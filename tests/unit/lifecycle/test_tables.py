"""The tables agree with each other, with the workflows, and with the API's words."""

from __future__ import annotations

import itertools

import pytest

from nova.conductor.workflows import CATALOG
from nova.lifecycle.actions import ACTIONS, Action
from nova.lifecycle.power import Remedy, remedy
from nova.lifecycle.status import STATUSES, states_of, status
from nova.objects.states import Power, Task, Vm


@pytest.mark.parametrize("action", ACTIONS.values(), ids=lambda a: a.name)
def test_a_row_of_the_table_is_whole(action: Action) -> None:
    kinds = {workflow.kind for workflow in CATALOG}
    if action.workflow is None:
        assert action.while_ is None and action.done is None
        return
    assert action.workflow in kinds
    assert action.record and action.event, "what takes time is recorded"
    assert action.while_ is not None, "clients see that something is under way"
    assert action.vm
    assert action.deadline_s > 0


def test_every_workflow_is_started_by_an_action() -> None:
    assert {w.kind for w in CATALOG} == {a.workflow for a in ACTIONS.values() if a.workflow}


def test_whatever_is_under_way_a_server_can_be_deleted() -> None:
    for name in ("delete", "forceDelete"):
        assert ACTIONS[name].vm == set(Vm)
        assert ACTIONS[name].task == {None, *Task}


@pytest.mark.parametrize("workflow", CATALOG, ids=lambda w: w.kind)
def test_steps_have_names_of_their_own_and_an_undo_or_a_reason(workflow: type) -> None:
    steps = workflow.steps  # type: ignore[attr-defined]
    assert len({step.name for step in steps}) == len(steps)
    for step in steps:
        assert step.undo or step.undo_ask or step.no_undo, step.name


def test_each_pair_of_states_has_a_word_that_leads_back_to_it() -> None:
    for vm, task in itertools.product(Vm, (None, *Task)):
        word = status(vm, task)
        assert word in STATUSES
        vms, tasks = states_of(word.lower())
        assert vm in vms
        assert not tasks or task in tasks


def test_a_word_nobody_knows_means_nothing() -> None:
    assert states_of("nonsense") == ((), ())


def test_what_is_seen_is_believed_and_never_starts_a_server() -> None:
    for vm, recorded, observed in itertools.product(Vm, Power, Power):
        found = remedy(vm, recorded, observed)
        if found is Remedy.STOP:
            assert vm in {Vm.ACTIVE, Vm.PAUSED}
            assert observed not in {Power.RUNNING, Power.NOSTATE}
        elif found is Remedy.FORCE_STOP:
            assert (vm, observed) == (Vm.STOPPED, Power.RUNNING)
        elif found is Remedy.NOTHING:
            assert observed in {recorded, Power.NOSTATE}
        else:
            assert observed is not recorded


def test_only_what_ran_when_its_machine_went_down_is_started_again() -> None:
    for vm, recorded, observed in itertools.product(Vm, Power, Power):
        found = remedy(vm, recorded, observed, host_booted=True)
        if vm is Vm.ACTIVE and observed in {Power.SHUTDOWN, Power.CRASHED}:
            assert found is Remedy.START
        else:
            assert found is remedy(vm, recorded, observed)


@pytest.mark.parametrize(
    ("vm", "observed", "expected"),
    [
        (Vm.ACTIVE, Power.SHUTDOWN, Remedy.STOP),
        (Vm.ACTIVE, Power.CRASHED, Remedy.STOP),
        (Vm.ACTIVE, Power.PAUSED, Remedy.RECORD),
        (Vm.STOPPED, Power.RUNNING, Remedy.FORCE_STOP),
        (Vm.SUSPENDED, Power.SHUTDOWN, Remedy.RECORD),
        (Vm.ACTIVE, Power.NOSTATE, Remedy.NOTHING),
    ],
)
def test_remedies(vm: Vm, observed: Power, expected: Remedy) -> None:
    assert remedy(vm, Power.RUNNING, observed) is expected
