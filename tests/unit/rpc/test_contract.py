"""Contracts are read once, and wrong declarations are refused with the reason."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from nova.context import RequestContext
from nova.rpc.contract import call, cast, contract, describe, fanout, parse_version


@contract(topic="shop-reports", version="1.0")
class Reports:
    @cast(since="1.0")
    def sold(self, ctx: RequestContext, item: str) -> None: ...


class Counter:
    @call(since="1.1", timeout=3, idempotent=True)
    def price(self, ctx: RequestContext, item: str, count: int = 1) -> list[int]:
        return []


@contract(topic="shop", version="1.2")
class Shop(Counter, Reports):
    @fanout(since="1.2")
    def closed(self, ctx: RequestContext) -> None: ...


def test_a_union_keeps_the_topics_of_parts_that_name_one() -> None:
    read = describe(Shop)
    assert {name: (m.kind, m.topic) for name, m in read.methods.items()} == {
        "closed": ("fanout", "shop"),
        "price": ("call", "shop"),
        "sold": ("cast", "shop-reports"),
    }
    assert read.topics() == ("shop", "shop-reports")
    assert read.version == (1, 2)
    assert read.versions == {"shop": (1, 2), "shop-reports": (1, 0)}


def test_a_method_knows_its_wire_form() -> None:
    price = describe(Shop).methods["price"]
    assert (price.since, price.timeout_s, price.idempotent) == ((1, 1), 3.0, True)
    assert price.returns == list[int]
    assert msgspec.json.encode(price.arguments("tea")) == b'{"item":"tea"}'
    assert msgspec.json.decode(b'{"item":"tea","newer":true}', type=price.arguments) == price.arguments(
        "tea", 1
    )
    with pytest.raises(TypeError):
        price.arguments()


def test_reading_twice_gives_the_same_object() -> None:
    assert describe(Shop) is describe(Shop)


def _declare(**methods: Any) -> type:
    return contract(topic="t", version="1.3")(type("Wrong", (), methods))


def test_wrong_declarations_are_refused() -> None:
    def no_ctx(self: Any, item: str) -> None: ...
    def no_type(self: Any, ctx: RequestContext, item) -> None: ...  # type: ignore[no-untyped-def]
    def answers(self: Any, ctx: RequestContext) -> int:
        return 1

    def many(
        self: Any, ctx: RequestContext, a: int, b: int, c: int, d: int, e: int, f: int, g: int
    ) -> None: ...
    def star(self: Any, ctx: RequestContext, *items: str) -> None: ...
    def fine(self: Any, ctx: RequestContext) -> None: ...

    cases = {
        "must take self and ctx": cast(since="1.0")(no_ctx),
        "has no type": cast(since="1.0")(no_type),
        "cannot return": cast(since="1.0")(answers),
        "more than 6": cast(since="1.0")(many),
        "no type on the wire": cast(since="1.0")(star),
        "but the contract is at 1.3": cast(since="1.4")(fine),
    }
    for reason, method in cases.items():
        with pytest.raises(TypeError, match=reason):
            describe(_declare(method=method))
    with pytest.raises(TypeError, match="neither call, cast nor fanout"):
        describe(_declare(method=lambda self, ctx: None))
    with pytest.raises(TypeError, match="is not a contract"):
        describe(Counter)


@pytest.mark.parametrize("text", ["", "1", "1.", ".1", "1.x", "1.2.3", "-1.2", "1.²"])
def test_versions_are_two_numbers(text: str) -> None:
    with pytest.raises(ValueError, match="two numbers"):
        parse_version(text)
