"""Lists of instances: every filter, pages that together are the whole list, statements that use indexes."""

from __future__ import annotations

import time
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from nova import ids
from nova.db import fixed_ips, instance_pages, instances, networks
from nova.db.engine import Database, Tx
from nova.db.fixed_ips import AddressWant
from nova.errors import BadRequest
from nova.errors.database import MarkerNotFound
from nova.objects.instance import Instance, InstancePage, InstanceQuery
from nova.objects.states import LockedBy, Power, Task, Vm
from tests.contract.db.makers import at, instance, network


def page(db: Database, project: str = "p1", **query: Any) -> list[str]:
    asked = InstanceQuery(**query)
    found = db.read(lambda tx: instance_pages.list_page(tx, asked, project))
    raw = db.read(lambda tx: instance_pages.list_raw(tx, asked, project))
    assert msgspec.json.decode(raw, type=InstancePage) == found
    return [i.display_name for i in found.instances]


@pytest.fixture
def some(db: Database) -> dict[str, Instance]:
    made = [
        instance(
            display_name="a",
            created_at=at(1),
            vm_state=Vm.ACTIVE,
            task_state=None,
            tags=("x", "y"),
            host="h1",
        ),
        instance(
            display_name="b", created_at=at(2), vm_state=Vm.ERROR, tags=("y",), key_name="K1", launch_index=1
        ),
        instance(
            display_name="ab", created_at=at(3), user_id="u2", locked_by=LockedBy.OWNER, config_drive=True
        ),
        instance(display_name="c", created_at=at(4), deleted_at=at(5), updated_at=at(5), revision=1),
        instance(display_name="s", created_at=at(5), vm_state=Vm.SOFT_DELETED, power_state=Power.SHUTDOWN),
        instance(
            display_name="o", created_at=at(6), project_id="p2", description="Über", reservation_id="r-2"
        ),
    ]
    db.run(lambda tx: instances.insert(tx, made))
    return {i.display_name: i for i in made}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, "ab b a"),
        ({"sort": (("display_name", "asc"),)}, "a ab b"),
        ({"sort": (("vm_state", "asc"), ("display_name", "desc"))}, "a ab b"),
        ({"sort": (("kernel_id", "asc"),)}, "a b ab"),
        ({"limit": 0}, ""),
        ({"all_projects": True}, "o ab b a"),
        ({"all_projects": True, "project_id": "p2"}, "o"),
        ({"project_id": "p2"}, "ab b a"),
        ({"deleted": True}, "c"),
        ({"deleted": True, "soft_deleted": True}, "s c"),
        ({"soft_deleted": True}, "s ab b a"),
        ({"vm_states": (Vm.SOFT_DELETED,)}, "s"),
        ({"vm_states": (Vm.ACTIVE, Vm.ERROR)}, "b a"),
        ({"task_states": (None,)}, "a"),
        ({"task_states": (None, Task.SCHEDULING)}, "ab b a"),
        ({"name_regex": "^a"}, "ab a"),
        ({"name_regex": "b$"}, "ab b"),
        ({"key_name_regex": "K[0-9]"}, "b"),
        ({"all_projects": True, "description_regex": "ber"}, "o"),
        ({"user_id": "u2"}, "ab"),
        ({"host": "h1"}, "a"),
        ({"tags": ("x", "y")}, "a"),
        ({"tags": ("y",)}, "b a"),
        ({"tags_any": ("x", "z")}, "a"),
        ({"not_tags": ("x", "y")}, "ab b"),
        ({"not_tags_any": ("x", "y")}, "ab"),
        ({"locked": True}, "ab"),
        ({"locked": False}, "b a"),
        ({"locked_by": "owner"}, "ab"),
        ({"config_drive": True}, "ab"),
        ({"launch_index": 1}, "b"),
        ({"power_state": 4, "soft_deleted": True}, "s"),
        ({"created_at": at(2)}, "b"),
        ({"flavor_id": "1"}, "ab b a"),
        ({"flavor_id": "2"}, ""),
        ({"changes_since": at(3)}, "s c ab"),
        ({"changes_since": at(5), "deleted": True}, "c"),
        ({"changes_before": at(2)}, "b a"),
        ({"limit": 2}, "ab b"),
        ({"detail": False}, "ab b a"),
    ],
)
def test_filters_and_order(
    db: Database, some: dict[str, Instance], query: dict[str, Any], names: str
) -> None:
    assert " ".join(page(db, **query)) == names


def test_by_ids_and_markers(db: Database, some: dict[str, Instance]) -> None:
    assert page(db, ids=(some["a"].id, some["o"].id)) == ["a"]
    assert page(db, marker=some["ab"].id) == ["b", "a"]
    assert page(db, marker=some["b"].id, sort=(("display_name", "desc"),)) == ["ab", "a"]
    for stranger in (some["o"].id, ids.new_uuid(), "ü"):
        with pytest.raises(MarkerNotFound):
            page(db, marker=stranger)
    assert page(db, all_projects=True, marker=some["o"].id, limit=1) == ["ab"]


def test_by_address(db: Database, some: dict[str, Instance]) -> None:
    net = network(cidr_v6="fd00::/64")
    want = AddressWant(
        instance_id=some["b"].id,
        vif_id=ids.new_uuid(),
        mac="fa:16:3e:00:00:01",
        network_id=net.id,
        fixed_ip="10.0.0.77",
    )
    with db.tx() as tx:
        networks.insert(tx, net)
        fixed_ips.allocate(tx, [want])
    assert page(db, ip_regex=r"0\.77$") == ["b"]
    assert page(db, ip_regex="fd00") == []
    assert page(db, ip6_regex="^fd00") == ["b"]


def test_more_and_host_status(db: Database, some: dict[str, Instance]) -> None:
    def raw(**query: Any) -> InstancePage:
        asked = InstanceQuery(**query)
        status = {"h1": "UP"}
        return msgspec.json.decode(
            db.read(lambda tx: instance_pages.list_raw(tx, asked, "p1", status)), type=InstancePage
        )

    assert raw(limit=2).more and not raw(limit=3).more
    assert [(i.display_name, i.host_status) for i in raw().instances] == [("ab", ""), ("b", ""), ("a", "UP")]


def test_a_page_is_one_statement_and_a_marker_one_more(db: Database, some: dict[str, Instance]) -> None:
    before = db.statements
    db.read(lambda tx: instance_pages.list_raw(tx, InstanceQuery(limit=1), "p1"))
    assert db.statements - before == 1
    asked = InstanceQuery(limit=1, marker=some["b"].id)
    db.read(lambda tx: instance_pages.list_raw(tx, asked, "p1"))
    assert db.statements - before == 3


def test_a_pattern_that_is_none_is_the_users_mistake(db: Database, some: dict[str, Instance]) -> None:
    with pytest.raises(BadRequest):
        page(db, name_regex="(")


def test_a_hostile_pattern_takes_no_time(db: Database) -> None:
    db.run(lambda tx: instances.insert(tx, [instance(display_name="a" * 250)]))
    begun = time.monotonic()
    assert page(db, name_regex="^(a|a|aa)+(a|a)*b$") == []
    assert time.monotonic() - begun < 5


@pytest.fixture(scope="module")
def crowd(kept: Database) -> Database:
    """20,000 instances of ten projects and what the planner wants to know of them."""
    made = [instance(project_id=f"p{n % 10}", created_at=at(n / 7), host=f"h{n % 50}") for n in range(20_000)]
    for start in range(0, len(made), 2000):
        kept.run(lambda tx, start=start: instances.insert(tx, made[start : start + 2000]))
    with kept.engine.begin() as connection:
        word = "ANALYZE TABLE instances" if kept.backend == "mysql" else "ANALYZE"
        connection.execute(sa.text(word))
    return kept


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 100},
        {"limit": 100, "all_projects": True},
        {"limit": 100, "marker": "?"},
        {"limit": 100, "all_projects": True, "marker": "?"},
    ],
    ids=["project", "all", "deep", "all deep"],
)
def test_the_default_list_walks_an_index(crowd: Database, query: dict[str, Any]) -> None:
    asked = InstanceQuery(**query)
    if asked.marker:
        before = msgspec.structs.replace(asked, marker=None, limit=1000)
        first = crowd.read(lambda tx: instance_pages.list_page(tx, before, "p1"))
        asked = msgspec.structs.replace(asked, marker=first.instances[-1].id)
    plan = _plan(crowd, asked)
    if crowd.backend == "sqlite":
        assert (
            "USING INDEX instances_" in plan and "TEMP B-TREE" not in plan and "SCAN instances\n" not in plan
        )
    elif crowd.backend == "mysql":
        assert "filesort" not in plan and "instances_" in plan and "ALL" not in plan.split()
    else:
        assert "Index Scan" in plan and "Sort" not in plan and "Seq Scan" not in plan
    if asked.marker:
        # It starts at the marker, and does not pass what is before.
        start = {"sqlite": "created_at<", "mysql": " range ", "postgresql": "created_at)::text <="}
        assert start[crowd.backend] in plan, plan


def test_forget_the_crowd(crowd: Database, db: Database) -> None:
    """The crowd is gone after this: the fixture ``db`` empties all tables."""
    assert crowd.read(lambda tx: instances.use_of(tx, "p1"))[0] == 2000


def _plan(db: Database, asked: InstanceQuery) -> str:
    """Return how the database means to run the statement that the query makes."""

    def work(tx: Tx) -> str:
        chosen, params = instance_pages._conditions(asked, "p1")
        sort = instance_pages._order(asked)
        if asked.marker:
            row = tx.row(instance_pages._marker(sort), id=asked.marker)
            assert row is not None
            params |= {f"after{i}": value for i, value in enumerate(row[1:])}
        params["limit"] = asked.limit
        statement = instance_pages._page((chosen, sort, asked.marker is not None, True))
        sql, values = statement.prepare(tx.dialect, params)
        word = "EXPLAIN QUERY PLAN " if db.backend == "sqlite" else "EXPLAIN "
        rows = tx.driver(word + sql, values).fetchall()
        return "\n".join(" ".join(map(str, row)) for row in rows) + "\n"

    return db.read(work)
