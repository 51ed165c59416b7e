"""Whatever the order, the filter and the page size: the pages together are the whole list."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nova.db import instance_pages, instances
from nova.db.engine import Database
from nova.db.tables import metadata
from nova.objects.instance import Instance, InstanceQuery
from nova.objects.states import Power, Task, Vm
from tests.contract.db.makers import at, instance

SORTS = sorted(instance_pages.SORT_COLUMNS)


class Crowd:
    """Some instances in a database; prints short."""

    def __init__(self, db: Database, instances: list[Instance]) -> None:
        self.db = db
        self.instances = instances


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crowd]:
    db = Database(f"sqlite:///{tmp_path_factory.mktemp('paging') / 'nova.db'}", durable=False)
    metadata.create_all(db.engine)
    made = [
        instance(
            created_at=at(n // 6),
            display_name=["a", "b", "ä", ""][n % 4],
            vm_state=list(Vm)[n % 5],
            task_state=[None, Task.SPAWNING, Task.DELETING][n % 3],
            power_state=list(Power)[n % 4],
            host=[None, "h1", "h2"][n % 3],
            launched_at=at(n) if n % 2 else None,
            key_name=["k", None][n % 2],
            launch_index=n % 7,
            user_id=f"u{n % 2}",
            deleted_at=at(n) if n % 11 == 0 else None,
        )
        for n in range(60)
    ]
    db.run(lambda tx: instances.insert(tx, made))
    yield Crowd(db, made)
    db.close()


orders = st.lists(st.tuples(st.sampled_from(SORTS), st.sampled_from(["asc", "desc"])), max_size=3)
filters = st.fixed_dictionaries(
    {},
    optional={
        "user_id": st.sampled_from(["u0", "u1"]),
        "task_states": st.just((None, Task.SPAWNING)),
        "name_regex": st.sampled_from(["a", "^.$"]),
        "host": st.just("h1"),
        "deleted": st.booleans(),
        "changes_since": st.just(at(3)),
    },
)


@settings(max_examples=150, deadline=None)
@given(sort=orders, chosen=filters, size=st.integers(1, 25))
def test_pages_are_the_list(
    crowd: Crowd, sort: list[tuple[str, str]], chosen: dict[str, Any], size: int
) -> None:
    db, made = crowd.db, crowd.instances
    whole = [i.id for i in _page(db, sort=tuple(sort), **chosen)]
    assert set(whole) == {i.id for i in made if _meant(i, chosen)}
    pages: list[str] = []
    marker = None
    while True:
        page = _page(db, sort=tuple(sort), limit=size, marker=marker, **chosen)
        pages.extend(i.id for i in page)
        if len(page) < size:
            break
        marker = pages[-1]
    assert pages == whole


@settings(max_examples=60, deadline=None)
@given(
    order=st.tuples(
        st.sampled_from(["created_at", "launch_index", "display_name"]), st.sampled_from(["asc", "desc"])
    )
)
def test_the_order_is_the_one_asked_for(crowd: Crowd, order: tuple[str, str]) -> None:
    listed = [(getattr(i, order[0]), i.id) for i in _page(crowd.db, sort=(order,))]
    assert listed == sorted(listed, reverse=order[1] == "desc")


def _page(db: Database, **query: Any) -> tuple[Instance, ...]:
    asked = InstanceQuery(**query)
    return db.read(functools.partial(instance_pages.list_page, query=asked, project="p1")).instances  # type: ignore[arg-type]


def _meant(one: Instance, chosen: dict[str, Any]) -> bool:
    if chosen.get("deleted"):
        alive = one.is_deleted
    else:
        alive = not one.is_deleted or "changes_since" in chosen
    if not chosen.get("deleted") and "changes_since" not in chosen:
        alive = alive and one.vm_state is not Vm.SOFT_DELETED
    return (
        alive
        and chosen.get("user_id", one.user_id) == one.user_id
        and one.task_state in chosen.get("task_states", (one.task_state,))
        and ("a" not in str(chosen.get("name_regex")) or "a" in one.display_name)
        and ("^" not in str(chosen.get("name_regex")) or len(one.display_name) == 1)
        and chosen.get("host", one.host) == one.host
        and ("changes_since" not in chosen or one.created_at >= at(3))
    )
