"""Reading microversion numbers and headers."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from nova.api.wsgi.version import Version, asked_version
from nova.errors.http import MalformedVersion


@given(st.integers(1, 10**6), st.integers(0, 10**6))
def test_round_trip(major: int, minor: int) -> None:
    assert Version.parse(f"{major}.{minor}") == (major, minor)
    assert str(Version(major, minor)) == f"{major}.{minor}"


@given(st.text(alphabet="0123456789. -+latesx٣", max_size=12))
def test_only_the_one_form_is_read(text: str) -> None:
    parts = text.split(".")
    good = len(parts) == 2 and all(
        part.isascii() and part.isdigit() and (part == "0" or part[0] != "0") for part in parts
    )
    if good and parts[0] != "0":
        assert str(Version.parse(text)) == text
    else:
        with pytest.raises(MalformedVersion):
            Version.parse(text)


@given(st.tuples(st.integers(1, 3), st.integers(0, 120)), st.tuples(st.integers(1, 3), st.integers(0, 120)))
def test_order_is_that_of_number_pairs(one: tuple[int, int], two: tuple[int, int]) -> None:
    assert (Version(*one) < Version(*two)) == (one < two)


@pytest.mark.parametrize(
    ("new", "old", "asked"),
    [
        (None, None, None),
        ("compute 2.9", None, "2.9"),
        ("compute 2.9", "2.3", "2.9"),
        ("volume 3.0, compute 2.9", "2.3", "2.9"),
        ("COMPUTE   2.9", None, "2.9"),
        ("volume 3.0", "2.3", "2.3"),
        ("volume 3.0", None, None),
        ("", " 2.3 ", "2.3"),
        ("compute", None, ""),
        ("compute latest", None, "latest"),
    ],
)
def test_headers(new: str | None, old: str | None, asked: str | None) -> None:
    assert asked_version(new, old) == asked
