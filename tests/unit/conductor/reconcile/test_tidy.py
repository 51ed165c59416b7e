"""What is over goes, in bounded portions; what is not stays."""

from __future__ import annotations

from typing import Any

import pytest

from nova import ids
from nova.conductor.reconcile import tidy
from nova.conductor.reconcile.tidy import Tidy
from nova.conductor.world import World
from nova.context import RequestContext
from nova.db import call_answers, console_tokens, owners, refusals
from nova.objects.console import ConsoleAuthorization
from nova.objects.ids import HostName, InstanceId, WorkflowId


def keep(world: World, count: int, lasts_s: float) -> list[str]:
    target = ConsoleAuthorization(
        instance_id=InstanceId(ids.new_uuid()), protocol="vnc", type="novnc", host=HostName("h"), port=1,
        expires_in_s=lasts_s,
    )  # fmt: skip
    tokens = [ids.new_uuid() for _ in range(count)]
    for token in tokens:
        world.db.run(lambda tx, t=token: console_tokens.insert(tx, t, target))
    return tokens


def rows(world: World, table: str) -> int:
    return int(world.db.read(lambda tx: tx.driver(f"SELECT COUNT(*) FROM {table}", []).fetchone())[0])


def refuse(world: World, ctx: RequestContext, workflow: str) -> None:
    world.db.run(lambda tx: refusals.insert(tx, ctx, WorkflowId(workflow), "stop", "[]"))


def test_tokens_and_answers_that_are_over_go(
    world: World, ctx: RequestContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tidy, "BATCH", 3)
    clock: Any = world.clock
    keep(world, 7, 60.0)
    world.db.run(lambda tx: call_answers.insert(tx, "old", "true"))
    refuse(world, ctx, "old")
    clock.advance(tidy.ANSWER_AGE_S / 2)
    (lasting,) = keep(world, 1, 60.0)
    world.db.run(lambda tx: call_answers.insert(tx, "new", "true"))
    refuse(world, ctx, "new")
    assert Tidy(world).look() == "7 console tokens, 0 answers, 1 refusals"
    assert world.db.read(lambda tx: refusals.find(tx, WorkflowId("new"))) == "[]"
    assert world.db.read(lambda tx: console_tokens.get(tx, lasting, 60.0)) is not None
    clock.advance(tidy.ANSWER_AGE_S / 2)
    assert Tidy(world).look() == "1 console tokens, 1 answers, 1 refusals"
    assert world.db.read(lambda tx: call_answers.get(tx, "new")) == call_answers.Kept("true", refused=False)
    assert [rows(world, name) for name in ("console_tokens", "call_answers", "workflows")] == [0, 1, 0]
    assert Tidy(world).look() is None


def test_tokens_that_end_because_the_clock_was_set_stay(world: World) -> None:
    clock: Any = world.clock
    world.db.run(lambda tx: owners.beat(tx, world.owner, world.host, clock.set_by_s()))
    (token,) = keep(world, 1, 600.0)
    clock.jump(3600.0)
    world.db.run(lambda tx: owners.beat(tx, world.owner, world.host, clock.set_by_s()))
    Tidy(world).look()
    found = world.db.read(lambda tx: console_tokens.get(tx, token, 600.0))
    assert found is not None and found.expires_in_s == pytest.approx(600.0)
    clock.advance(600.0)
    assert world.db.read(lambda tx: console_tokens.get(tx, token, 600.0)) is None


def test_one_look_goes_only_so_far(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tidy, "BATCH", 2)
    monkeypatch.setattr(tidy, "BATCHES", 2)
    clock: Any = world.clock
    keep(world, 5, 1.0)
    clock.advance(2)
    Tidy(world).look()
    assert rows(world, "console_tokens") == 1
