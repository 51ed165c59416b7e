"""Quotas: never over the limit, never stuck below it, limits by class, project and user."""

from __future__ import annotations

import pytest

from nova.db import instances, quotas
from nova.db.engine import Database, Tx
from nova.db.quotas import Shortage
from tests.contract.db.makers import instance

LIMITS = {"instances": 10, "cores": 20, "ram": -1}
P = "p1"


def test_reserving_counts_until_the_limit(db: Database) -> None:
    assert (
        db.run(lambda tx: quotas.reserve(tx, P, {"instances": 9, "cores": 9, "ram": 1 << 40}, LIMITS)) is True
    )
    short = db.run(lambda tx: quotas.reserve(tx, P, {"instances": 2, "cores": 12, "ram": 5}, LIMITS))
    assert short == Shortage(
        over=("cores", "instances"),
        requested={"cores": 12, "instances": 2, "ram": 5},
        used={"cores": 9, "instances": 9, "ram": 1 << 40},
        limits={"cores": 20, "instances": 10, "ram": -1},
    )
    assert db.run(lambda tx: quotas.reserve(tx, P, {"instances": 1, "cores": 1}, LIMITS)) is True
    assert db.read(lambda tx: quotas.used(tx, P))["instances"] == 10


def test_a_refusal_is_told_to_a_project_that_never_used_anything(db: Database) -> None:
    short = db.run(lambda tx: quotas.reserve(tx, P, {"instances": 11}, LIMITS))
    assert short is not True and short.used == {"instances": 0}


def test_reserving_is_one_statement(db: Database) -> None:
    db.run(lambda tx: quotas.reserve(tx, P, {"instances": 1}, LIMITS))
    before = db.statements
    db.run(lambda tx: quotas.reserve(tx, P, {"instances": 1, "cores": 1, "ram": 1}, LIMITS))
    assert db.statements - before == 1


@pytest.mark.parametrize(("least", "most", "granted"), [(1, 5, 5), (1, 50, 10), (10, 10, 10), (2, 11, 10)])
def test_as_many_as_fit(db: Database, least: int, most: int, granted: int) -> None:
    unit = {"instances": 1, "cores": 2, "ram": 512}
    assert db.run(lambda tx: quotas.reserve_between(tx, P, unit, LIMITS, least, most)) == granted
    assert db.read(lambda tx: quotas.used(tx, P))["cores"] == 2 * granted


def test_fewer_than_wanted_is_a_shortage(db: Database) -> None:
    short = db.run(lambda tx: quotas.reserve_between(tx, P, {"instances": 1, "cores": 3}, LIMITS, 7, 9))
    assert isinstance(short, Shortage)
    assert (short.over, short.requested) == (("cores",), {"instances": 7, "cores": 21})
    assert db.read(lambda tx: quotas.used(tx, P))["instances"] == 0


def test_releasing_for_many_scopes(db: Database) -> None:
    scopes = [f"p{n}" for n in range(3)]
    for scope in scopes:
        db.run(lambda tx, scope=scope: quotas.reserve(tx, scope, {"instances": 5, "ram": 10}, {}))
    gone = [
        (scopes[0], {"instances": 1, "ram": 2}),
        (scopes[2], {"instances": 1}),
        (scopes[0], {"instances": 1}),
    ]
    db.run(lambda tx: quotas.release_many(tx, gone))
    used = [db.read(lambda tx, s=s: quotas.used(tx, s)) for s in scopes]
    assert [(u["instances"], u["ram"]) for u in used] == [(3, 8), (5, 10), (4, 10)]


def test_limits_of_user_over_project_over_class_over_options(db: Database) -> None:
    defaults = {"instances": 10, "cores": 20, "ram": 30}
    db.run(lambda tx: quotas.set_limits(tx, quotas.DEFAULT_CLASS, {"cores": 21, "ram": 31}))
    db.run(lambda tx: quotas.set_limits(tx, P, {"ram": 32}))
    db.run(lambda tx: quotas.set_limits(tx, P, {"ram": 33}, user="u1"))
    db.run(lambda tx: quotas.set_limits(tx, P, {"ram": 34}, user="u1"))
    assert db.read(lambda tx: quotas.limits(tx, "p1", defaults)) == {"instances": 10, "cores": 21, "ram": 32}
    assert db.read(lambda tx: quotas.limits_with_user(tx, "p1", defaults, "u1")) == (
        {"instances": 10, "cores": 21, "ram": 32},
        {"ram": 34},
    )
    assert db.read(lambda tx: quotas.limits(tx, "p2", defaults))["ram"] == 31
    db.run(lambda tx: quotas.clear_limits(tx, P, "u1"))
    assert db.read(lambda tx: quotas.limits_with_user(tx, "p1", defaults, "u1"))[1] == {}
    db.run(lambda tx: quotas.clear_limits(tx, P))
    assert db.read(lambda tx: quotas.limits(tx, "p1", defaults))["ram"] == 31


@pytest.mark.parametrize(
    ("own", "least", "count", "granted"),
    [
        ({}, 1, 5, 5),
        ({"cores": 9}, 1, 5, 5),
        ({"cores": 4}, 1, 5, 3),
        ({"instances": 2, "ram": 9000}, 1, 5, 1),
    ],
)
def test_a_user_gets_what_his_own_limits_leave(
    db: Database, own: dict[str, int], least: int, count: int, granted: int
) -> None:
    unit = {"instances": 1, "cores": 1, "ram": 512}
    db.run(lambda tx: instances.insert(tx, [instance(user_id="u1"), instance(user_id="u2")]))

    def work(tx: Tx) -> object:
        quotas.reserve(tx, P, {name: n * count for name, n in unit.items()}, {})
        return quotas.stay_within(tx, (P, "u1"), unit, own, least, count)

    assert db.run(work) == granted
    assert db.read(lambda tx: quotas.used(tx, P))["cores"] == granted


def test_a_user_at_his_own_limit_is_told_so(db: Database) -> None:
    unit = {"instances": 1, "cores": 1, "ram": 512}
    db.run(lambda tx: instances.insert(tx, [instance(user_id="u1")]))
    short = db.run(lambda tx: quotas.stay_within(tx, (P, "u1"), unit, {"cores": 2, "ram": 900}, 1, 1))
    assert isinstance(short, Shortage)
    assert (short.over, short.requested["ram"], short.used["ram"], short.limits["ram"]) == (
        ("ram",),
        512,
        512,
        900,
    )


def test_recounting_shows_and_repairs_wrong_books(db: Database) -> None:
    db.run(lambda tx: instances.insert(tx, [instance(), instance()]))
    db.run(lambda tx: quotas.reserve(tx, P, {"instances": 5}, {}))
    real = {"instances": 2, "cores": 2, "ram": 1024}
    assert db.read(lambda tx: quotas.recount(tx, "p1")) == ({"instances": 5, "cores": 0, "ram": 0}, real)
    db.run(lambda tx: quotas.recount(tx, "p1", repair=True))
    assert db.read(lambda tx: quotas.recount(tx, "p1")) == (real, real)
    assert db.read(quotas.projects) == ["p1"]
