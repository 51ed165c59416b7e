"""The history as a whole, and what folding promises."""

from __future__ import annotations

import copy

import hypothesis.strategies as st
import pytest
from hypothesis import given

from nova.api.compute.versions import changes, history
from nova.api.compute.versions.base import Change, History, Was
from nova.api.compute.versions.paths import compile_step_down, split
from nova.api.wsgi import schema_parts as parts
from nova.api.wsgi.schema import Check
from nova.api.wsgi.version import LEGACY, Version

ALL = history()


def test_every_version_has_its_file() -> None:
    numbers = [change.number for change in changes()]
    assert numbers == [Version(2, n) for n in range(1, len(numbers) + 1)]
    assert (ALL.oldest, ALL.newest) == (numbers[0], numbers[-1])
    assert all(change.summary.endswith(".") for change in changes())


def test_changes_must_be_in_order() -> None:
    one, two = Change(version="2.2", summary="a"), Change(version="2.3", summary="b")
    History([one, two], Version(2, 1))
    with pytest.raises(ValueError, match="ascending"):
        History([two, one], Version(2, 1))
    with pytest.raises(ValueError, match="ascending"):
        History([one, one], Version(2, 1))
    twice = Change(version="2.3", summary="b", features=("f",))
    with pytest.raises(ValueError, match="twice"):
        History([Change(version="2.2", summary="a", features=("f",)), twice], Version(2, 1))


def test_lifetimes() -> None:
    assert ALL.lifetime("server_tags.index") == (Version(2, 26), None)
    assert ALL.lifetime("images.index") == (Version(2, 1), Version(2, 35))
    assert ALL.lifetime("remote_consoles.os-getVNCConsole") == (Version(2, 1), Version(2, 5))
    assert ALL.lifetime("servers.show") == (Version(2, 1), None)


def test_features() -> None:
    assert ALL.features["unknown_status_refused"] == Version(2, 38)
    assert ALL.features["networks_required"] == Version(2, 37)


def test_success_codes() -> None:
    assert ALL.success("keypairs.create", 201, Version(2, 1)) == 200
    assert ALL.success("keypairs.create", 201, Version(2, 2)) == 201
    assert ALL.success("keypairs.delete", 204, Version(2, 1)) == 202
    assert ALL.success("servers.show", 200, Version(2, 1)) == 200


def server(**more: object) -> dict:
    return {"name": "n", "flavorRef": "1", **more}


def newest_create() -> dict:
    inner = parts.closed(
        {
            "name": parts.NAME,
            "flavorRef": parts.STRING,
            "description": parts.DESCRIPTION,
            "networks": {
                "oneOf": [
                    {"type": "array", "items": parts.closed({"uuid": parts.UUID, "tag": parts.TAG})},
                    {"type": "string", "enum": ["none", "auto"]},
                ]
            },
            "tags": {"type": "array", "items": parts.TAG},
            "hostname": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[a-zA-Z0-9-._]*$"},
        },
        ("name", "flavorRef", "networks"),
    )
    return parts.wrapped("server", inner)


@pytest.mark.parametrize(
    ("minor", "body", "good"),
    [
        (104, server(networks="auto"), True),
        (104, server(), False),
        (36, server(), True),
        (36, server(networks=[{"uuid": "whatever"}]), True),
        (36, server(networks="auto"), False),
        (37, server(networks=[{"uuid": "whatever"}]), False),
        (18, server(description="d"), False),
        (19, server(description="d"), True),
        (51, server(networks="none", tags=["t"]), False),
        (52, server(networks="none", tags=["t"]), True),
        (31, server(networks=[{"tag": "t"}]), False),
        (32, server(networks=[{"tag": "t"}]), True),
        (37, server(networks=[{"tag": "t"}]), False),
        (42, server(networks=[{"tag": "t"}]), True),
        (93, server(networks="none", hostname="a.example"), False),
        (94, server(networks="none", hostname="a.example"), True),
        (89, server(networks="none", hostname="a"), False),
        (56, server(networks="none", personality=[]), True),
        (57, server(networks="none", personality=[]), False),
    ],
)
def test_server_create_through_time(minor: int, body: dict, good: bool) -> None:
    schema = newest_create()
    before = copy.deepcopy(schema)
    folded = ALL.body_schema("servers.create", schema, Version(2, minor))
    assert Check(folded).accepts({"server": body}) is good
    assert schema == before


def test_legacy_names_may_be_padded() -> None:
    schema = newest_create()
    padded = {"server": {"name": " n ", "flavorRef": "1"}}
    assert Check(ALL.body_schema("servers.create", schema, LEGACY)).accepts(padded)
    assert not Check(ALL.body_schema("servers.create", schema, Version(2, 1))).accepts(padded)


def test_bodies_of_any_version_fit_the_newest_after_lifting() -> None:
    newest = Check(newest_create())
    for minor in range(1, ALL.newest.minor + 1):
        body = {"server": server(networks="auto") if minor >= 37 else server()}
        for lift in ALL.lifts("servers.create", Version(2, minor)):
            body = lift(body)
        assert newest.accepts(body), minor
        assert (body["server"].get("description") == "n") is (minor < 19)


def test_group_policies() -> None:
    body = {"server_group": {"name": "g", "policies": ["affinity"]}}
    for lift in ALL.lifts("server_groups.create", Version(2, 63)):
        body = lift(body)
    assert body == {"server_group": {"name": "g", "policy": "affinity"}}
    shown = {
        "server_group": {"id": "1", "policy": "affinity", "rules": {}, "user_id": "u", "project_id": "p"}
    }
    ALL.step_down("server_groups.show", Version(2, 1))(shown)
    assert shown == {"server_group": {"id": "1", "policies": ["affinity"], "metadata": {}}}


def test_server_answers_step_down() -> None:
    def shown() -> dict:
        flavor = {"id": "1", "links": [], "vcpus": 1, "extra_specs": {}}
        addresses = {"net": [{"addr": "10.0.0.1", "OS-EXT-IPS:type": "fixed"}]}
        return {
            "server": {
                "id": "s",
                "locked": False,
                "tags": [],
                "flavor": dict(flavor),
                "image": {"id": "i", "properties": {}},
                "addresses": addresses,
            }
        }

    at = {}
    for minor in (1, 46, 47, 97, 104):
        document = shown()
        plan = ALL.step_down("servers.show", Version(2, minor))
        if plan:
            plan(document)
        at[minor] = document["server"]
    assert set(at[1]) == {"id", "flavor", "image", "addresses"}
    assert set(at[1]["flavor"]) == set(at[46]["flavor"]) == {"id", "links"}
    assert set(at[47]["flavor"]) == {"vcpus", "extra_specs"}
    assert "properties" not in at[97]["image"] and "properties" in at[104]["image"]
    updated = shown()
    ALL.step_down("servers.update", Version(2, 74))(updated)
    assert updated["server"]["addresses"] == {"net": [{"addr": "10.0.0.1"}]}


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("", []),
        ("a", ["a"]),
        ("a.b-c:d", ["a", "b-c:d"]),
        ("a[].b", ["a", "[]", "b"]),
        ("a[][]", ["a", "[]", "[]"]),
        ("a.<^.+$>[].b", ["a", "<^.+$>", "[]", "b"]),
        ("[].a", ["[]", "a"]),
    ],
)
def test_paths(path: str, steps: list[str]) -> None:
    assert split(path) == steps


KEYS = st.sampled_from("abcd")
DOCUMENTS = st.recursive(
    st.integers(),
    lambda below: st.dictionaries(KEYS, below, max_size=3) | st.lists(below, max_size=2),
    max_leaves=8,
)
STEPS = st.lists(st.sampled_from(["a", "b", "c", "d", "[]", "<.*>"]), min_size=1, max_size=3)


def without(document: object, steps: list[str]) -> object:
    """The plain meaning of taking a path out."""
    if not steps:
        return document
    step, rest = steps[0], steps[1:]
    if step == "[]":
        return [without(item, rest) for item in document] if isinstance(document, list) else document
    if not isinstance(document, dict):
        return document
    if step.startswith("<"):
        return {key: without(value, rest) for key, value in document.items()}
    if not rest:
        return {key: value for key, value in document.items() if key != step}
    return {key: without(value, rest) if key == step else value for key, value in document.items()}


def joined(steps: list[str]) -> str:
    return ".".join(steps).replace(".[]", "[]")


@given(DOCUMENTS, st.lists(STEPS.filter(lambda steps: not steps[-1].startswith(("[", "<"))), max_size=4))
def test_compiled_plans_do_what_paths_say(document: object, paths: list[list[str]]) -> None:
    expected = document
    for steps in sorted(paths, key=len, reverse=True):
        expected = without(expected, steps)
    stepped = copy.deepcopy(document)
    plan = compile_step_down([], [joined(steps) for steps in paths])
    if plan is not None:
        plan(stepped)
        once = copy.deepcopy(stepped)
        plan(stepped)
        assert stepped == once
    assert stepped == expected


PROPERTIES = st.dictionaries(KEYS, st.sampled_from([parts.STRING, parts.NAME, parts.UUID]), max_size=4)


@given(PROPERTIES, PROPERTIES)
def test_folding_goes_from_any_schema_to_any_other(new: dict, old: dict) -> None:
    change = Change(
        version="2.2",
        summary="anything",
        adds_request={"x": tuple(key for key in new if key not in old)},
        drops_request={"x": {key: Was(old[key], required=True) for key in old if key not in new}},
        alters_request={"x": {key: Was(old[key]) for key in old if key in new and old[key] != new[key]}},
    )
    folded = History([change], Version(2, 1)).body_schema("x", parts.closed(new, tuple(new)), Version(2, 1))
    assert folded["properties"] == old
    altered = {key for key in old if key in new and old[key] != new[key]}
    assert set(folded.get("required", ())) == set(old) - altered
