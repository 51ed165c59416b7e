"""Contracts do not change in silence, and neighbours of another release can be read."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Any

import msgspec
import pytest

import contracts
from nova.context import RequestContext
from nova.objects.base import Value
from nova.rpc.contract import Contract, call, cast, contract, describe
from nova.rpc.fingerprint import fingerprint, objections, parse, render


def test_the_contracts_are_those_that_were_written_down() -> None:
    refused, stale = contracts.findings()
    assert not refused, "\n".join(refused)
    assert not stale, f"{stale}: run tools/contracts.py and look at what changed"


def test_a_contract_that_was_never_written_down_or_is_gone_is_named(tmp_path: Path) -> None:
    refused, stale = contracts.findings(tmp_path)
    assert not refused and {"Conductor.txt", "Compute.txt"} <= set(stale)
    (tmp_path / contracts.FOLDER).mkdir(parents=True)
    (tmp_path / contracts.FOLDER / "Certificates.txt").write_text("Certificates 1.0 on cert\n")
    assert "the contract is gone" in contracts.findings(tmp_path)[0][0]


@pytest.mark.parametrize("cls", contracts.classes())
def test_what_is_written_can_be_read(cls: type) -> None:
    assert parse(render(fingerprint(cls))) == fingerprint(cls)


class Colour(enum.StrEnum):
    RED = "red"


def _value(**fields: Any) -> Any:
    """Make a struct called Order; a field is a type, or a type and a default."""
    made = [(n, f) if not isinstance(f, tuple) else (n, *f) for n, f in fields.items()]
    return msgspec.defstruct("Order", made, bases=(Value,), frozen=True, kw_only=True, omit_defaults=True)


def _shop(order: Any, version: str = "1.0", **others: Any) -> type:
    """Make a contract called Shop that takes an order."""

    def buy(self: Any, ctx: RequestContext, order: Any) -> int: ...  # type: ignore[empty-body]

    buy.__annotations__ = {"ctx": RequestContext, "order": order, "return": int}
    body = {"buy": call(since="1.0", timeout=3)(buy), **others}
    return contract(topic="shop", version=version)(type("Shop", (), body))


def _cast(since: str) -> Any:
    def sweep(self: Any, ctx: RequestContext) -> None: ...

    return cast(since=since)(sweep)


BEFORE = {"item": str, "count": (int, 1), "colour": (Colour, Colour.RED)}

COLOURS = fingerprint(_shop(_value(colour=enum.StrEnum("Colour", {"RED": "red", "BLUE": "blue"}))))

CHANGES = [
    ("changed but still says version 1.0", _shop(_value(**BEFORE, gift=(bool, False)))),
    ("new 'gift' needs a default", _shop(_value(**BEFORE, gift=bool), "1.1")),
    ("lost 'count'", _shop(_value(item=str, colour=(Colour, Colour.RED)), "1.1")),
    ("'count' was 'int = 1'", _shop(_value(**BEFORE | {"count": (str, "1")}), "1.1")),
    ("must be since 1.1", _shop(_value(**BEFORE), "1.1", sweep=_cast("1.0"))),
    ("method buy is gone", contract(topic="shop", version="1.1")(type("Shop", (), {"sweep": _cast("1.1")}))),
]


@pytest.mark.parametrize(("reason", "cls"), CHANGES, ids=[reason for reason, _ in CHANGES])
def test_a_change_that_would_hurt_neighbours_is_refused_with_the_reason(reason: str, cls: type) -> None:
    said = objections(fingerprint(_shop(_value(**BEFORE))), fingerprint(cls))
    assert any(reason in sentence for sentence in said), said


def test_a_word_that_neighbours_still_send_stays() -> None:
    said = objections(COLOURS, fingerprint(_shop(_value(colour=Colour), "1.1")))
    assert said == ["value Colour lost 'blue': neighbours still send it"]


class Tea(Value, frozen=True, kw_only=True, tag="tea"):
    """A kind of what is sold."""


class Cake(Value, frozen=True, kw_only=True, tag="cake"):
    """Another kind."""


class Bread(Value, frozen=True, kw_only=True, tag="bread"):
    """A third."""


@pytest.mark.parametrize(
    ("before", "now", "refused"),
    [
        (Tea | Cake, Tea | Cake | Bread, False),
        (Tea | Cake | Bread, Tea | Cake, True),
        (Tea | Cake, Tea | Bread, True),
        (Tea | Cake, Tea | Cake | None, True),
        (Tea, Tea | Cake, True),
        (int | str, int | str | None, True),
    ],
)
def test_a_kind_may_come_but_not_go(before: Any, now: Any, refused: bool) -> None:
    said = objections(fingerprint(_shop(_value(of=before))), fingerprint(_shop(_value(of=now), "1.1")))
    assert [bool(said), all("add another one beside it" in one for one in said)] == [refused, True], said


def test_a_change_with_a_version_and_a_default_is_written_down() -> None:
    before = fingerprint(_shop(_value(**BEFORE)))
    now = fingerprint(_shop(_value(**BEFORE, gift=(bool, False)), "1.1", sweep=_cast("1.1")))
    assert objections(before, now) == []
    assert objections(now, now) == []


def test_a_new_major_version_may_change_everything() -> None:
    before = fingerprint(_shop(_value(**BEFORE)))
    again = contract(topic="shop", version="2.0")(type("Shop", (), {"sweep": _cast("2.0")}))
    assert objections(before, fingerprint(again)) == []


def _older_and_newer() -> tuple[Contract, Contract]:
    older = _shop(_value(**BEFORE))
    newer = _shop(_value(**BEFORE, gift=(bool, False), note=(str | None, None)), "1.1")
    return describe(older), describe(newer)


def test_neighbours_of_two_releases_read_each_other() -> None:
    older, newer = _older_and_newer()
    old_order, new_order = (c.methods["buy"].parameters[0].type for c in (older, newer))
    old_arguments, new_arguments = older.methods["buy"].arguments, newer.methods["buy"].arguments
    sent = msgspec.msgpack.encode(new_arguments(new_order(item="tea", gift=True, note="soon")))
    assert msgspec.msgpack.decode(sent, type=old_arguments) == old_arguments(old_order(item="tea"))
    sent = msgspec.msgpack.encode(old_arguments(old_order(item="tea", count=2)))
    assert msgspec.msgpack.decode(sent, type=new_arguments) == new_arguments(new_order(item="tea", count=2))


def _structs() -> list[type[msgspec.Struct]]:
    """Return every struct that a contract of the tree carries."""
    found: dict[str, type[msgspec.Struct]] = {}

    def walk(info: msgspec.inspect.Type) -> None:
        if isinstance(info, msgspec.inspect.StructType):
            if info.cls.__name__ in found:
                return
            found[info.cls.__name__] = info.cls
            for field in info.fields:
                walk(field.type)
        for name in ("item_type", "key_type", "value_type"):
            if hasattr(info, name):
                walk(getattr(info, name))
        for inner in (*getattr(info, "types", ()), *getattr(info, "item_types", ())):
            walk(inner)

    for cls in contracts.classes():
        for method in describe(cls).methods.values():
            walk(msgspec.inspect.type_info(method.arguments))
            walk(msgspec.inspect.type_info(method.returns))
    return [found[name] for name in sorted(found)]


@pytest.mark.parametrize("struct", _structs(), ids=lambda struct: struct.__name__)
def test_every_value_ignores_fields_of_a_newer_release(struct: type[msgspec.Struct]) -> None:
    config = struct.__struct_config__
    assert not config.forbid_unknown_fields, f"{struct.__name__} refuses fields that a newer neighbour sends"
    assert not config.array_like, f"{struct.__name__} is a list on the wire: fields are told by their place"
    assert config.frozen, f"{struct.__name__} may be changed after it was sent"
