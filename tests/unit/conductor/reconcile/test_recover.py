"""Signs of life and take-overs whose commits lose their answers: settled quietly, nothing is taken twice."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nova.conductor.engine.engine import Engine
from nova.conductor.reconcile.recover import Recover
from nova.conductor.workflows import CATALOG
from nova.conductor.world import World
from nova.db import owners, workflows
from nova.objects.ids import WorkflowId
from tests.contract.db.makers import workflow


@pytest.fixture
def recover(world: World) -> Recover:
    world.engine = Engine(world, CATALOG)
    return Recover(world)


def lose_an_answer(world: World) -> Callable[[], bool]:
    """Let the next commit lose its answer; what is returned tells whether one did."""
    left = [True]

    def disturb(at: str) -> None:
        if at == "committed" and left:
            left.clear()
            raise ConnectionResetError("cable pulled")

    world.db.disturb = disturb
    return lambda: not left


def test_a_first_beat(world: World, recover: Recover) -> None:
    lost = lose_an_answer(world)
    recover.beat()
    world.db.disturb = None
    assert lost()
    ((owner, beats),) = world.db.read(owners.all)
    assert owner == world.owner and beats == 2
    assert world.liveness.conductors.is_alive(world.owner)


def test_at_rest_a_beat_and_a_look_for_work_are_three_statements_and_no_transaction_of_several(
    world: World, recover: Recover
) -> None:
    recover.beat()
    told: list[str] = []
    words: list[str] = []
    world.db.disturb, world.db.observer = words.append, told.append
    recover.beat()
    recover.take_over()
    world.db.disturb = world.db.observer = None
    assert words == []
    assert [text.split()[0] for text in told] == ["UPDATE", "SELECT", "SELECT"]
    assert world.db.read(owners.all) == [(world.owner, 2)]


def test_a_beat_whose_connection_is_lost_comes_again(world: World, recover: Recover) -> None:
    recover.beat()
    left = [True]

    def observer(text: str) -> None:
        if text.startswith("UPDATE") and left:
            left.clear()
            raise ConnectionResetError("cable pulled")

    world.db.observer = observer
    recover.beat()
    world.db.observer = None
    assert not left
    assert world.db.read(owners.all) == [(world.owner, 2)]


def test_a_conductor_that_was_buried_becomes_known_again(world: World, recover: Recover) -> None:
    recover.beat()
    world.db.run(lambda tx: owners.drop(tx, world.owner))
    recover.beat()
    assert world.db.read(owners.all) == [(world.owner, 1)]


def test_work_of_a_dead_conductor(world: World, recover: Recover) -> None:
    rows = [workflow(owner="dead", notes=b"{}", input=b"{}") for _ in range(2)]
    world.db.run(lambda tx: owners.beat(tx, "dead", "there"))
    world.db.run(lambda tx: workflows.insert(tx, rows))
    recover.beat()
    world.clock.sleep(world.settings.lease_s + 1)
    recover.beat()
    lost = lose_an_answer(world)
    recover.take_over()
    world.db.disturb = None
    assert lost()
    assert world.db.read(owners.all) == [(world.owner, 2)]
    world.clock.sleep(world.settings.lease_s + 1)
    recover.beat()
    recover.take_over()
    world.clock.sleep(world.settings.lease_s + 1)
    recover.take_over()
    assert world.engine.held() == {WorkflowId(row.id) for row in rows}
