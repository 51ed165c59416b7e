"""The tree answers as Routes does."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given

from nova.api.wsgi.operation import Operation
from nova.api.wsgi.router import Router

PATHS = [
    ("GET", "/boxes"),
    ("POST", "/boxes"),
    ("GET", "/boxes/detail"),
    ("GET", "/boxes/{id}"),
    ("DELETE", "/boxes/{id}"),
    ("GET", "/boxes/{box_id}/lids"),
    ("GET", "/boxes/{box_id}/lids/{id}"),
    ("PUT", "/boxes/detail/lids"),
    ("GET", "/{kind}/detail"),
    ("GET", "/"),
]

ROUTER = Router(
    [
        Operation(name=f"{method} {path}", method=method, path=path, handler=lambda req: None, policy=None)
        for method, path in PATHS
    ]
)

SEGMENTS = st.sampled_from(["boxes", "detail", "lids", "a", "ä", "a.b", "a b", "", "lids.json", "{id}"])


@given(
    st.sampled_from(["GET", "POST", "DELETE", "PUT", "PATCH"]),
    st.lists(SEGMENTS, max_size=5).map(lambda s: "/" + "/".join(s)),
)
def test_same_answers_as_routes(method: str, path: str) -> None:
    if path != "/" and path.endswith("/"):
        assert ROUTER.match(method, path) is None
        return
    ours, theirs = ROUTER.match(method, path), ROUTER.match_by_routes(method, path)
    assert ours == theirs


def test_literals_win_but_not_for_other_methods() -> None:
    target, values = ROUTER.match("GET", "/boxes/detail")
    assert target.plain[0].path == "/boxes/detail" and values == {}
    target, values = ROUTER.match("DELETE", "/boxes/detail")
    assert target.plain[0].path == "/boxes/{id}" and values == {"id": "detail"}
    assert ROUTER.match("GET", "/boxes/1/lids/2")[1] == {"box_id": "1", "id": "2"}


def test_a_router_that_was_asked_nothing_of_routes_holds_nothing_of_it() -> None:
    router = Router([])
    assert "_mapper" not in vars(router)
    router.match_by_routes("GET", "/boxes")
    assert "_mapper" in vars(router)
