"""Checks, formats and what /v2 forgives."""

from __future__ import annotations

import base64
import datetime

import hypothesis.strategies as st
import pytest
from hypothesis import given

from nova.api.wsgi import formats
from nova.api.wsgi import schema_parts as parts
from nova.api.wsgi.schema import Check, Checks, drop_unknown
from nova.errors.http import InvalidInput


def accepts(schema: dict, value: object) -> bool:
    return Check(schema).accepts(value)


@given(st.integers(-(10**12), 10**12), st.integers(-100, 100), st.integers(-100, 100))
def test_bounds_count_for_numbers_in_strings(value: int, low: int, high: int) -> None:
    check = Check({"type": ["integer", "string"], "minimum": low, "maximum": high})
    assert check.accepts(value) is (low <= value <= high)
    assert check.accepts(str(value)) is (low <= value <= high)


def test_bounds_leave_other_strings_alone() -> None:
    assert accepts({"type": ["integer", "string"], "minimum": 5}, "word")
    assert not accepts({"type": ["number", "string"], "exclusiveMinimum": 0}, "0.0")
    assert accepts({"type": ["number", "string"], "exclusiveMinimum": 0}, "0.5")
    assert accepts({"type": ["boolean", "integer"], "minimum": 5}, True)
    assert not accepts({"type": "string", "minimum": 1}, "nan")


def test_booleans() -> None:
    for word in (*parts.TRUE_WORDS, *parts.FALSE_WORDS):
        assert accepts(parts.BOOLEAN, word)
        assert parts.truth(word) is (word in parts.TRUE_WORDS)
    for word in ("tRue", 1, 0, None, "2", ""):
        assert not accepts(parts.BOOLEAN, word)


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        (
            "uuid",
            ["11111111-2222-3333-4444-555555555555", "A" * 32],
            ["", "x", "11111111-2222-3333-4444-55555555555", "g" * 32, "{" + "a" * 32 + "}"],
        ),
        (
            "date-time",
            ["2020-01-01T00:00:00Z", "2020-01-01T00:00:00+02:00", "2020-01-01T00:00:00.5", "2020-01-01"],
            ["", "now", "2020", "2020-13-01", "2020-01-01T25:00:00Z"],
        ),
        ("base64", ["", "YQ==", "YQ\n=="], ["a", "ä", "===="]),
        (
            "cidr",
            ["10.0.0.0/8", "fe80::/64", "10.0.0.1/24"],
            ["10.0.0.0", "10.0.0.0 /8", "x/8", "1.1.1.1/33"],
        ),
        ("ipv4", ["1.2.3.4"], ["1.2.3", "1.2.3.4.5", "::1", "01.2.3.4"]),
        ("ipv6", ["::1", "fe80::1"], ["1.2.3.4", "g::", "fe80::1%eth0"]),
        ("uri", ["http://host/x"], ["host", "/x", "http://"]),
        ("regex", ["a.*b"], ["", "(", "*"]),
        ("printable", ["", "naïve name", " "], ["\x07", "\u2028", "\u200b"]),
        ("name", ["a", "a b", "é"], ["", " ", " a", "a ", "a\tb"]),
        ("name_with_leading_trailing_spaces", ["a", " a "], ["", "  ", "\n"]),
        ("az_name", ["nova"], ["no:va", " nova"]),
        ("az_name_with_leading_trailing_spaces", [" nova "], ["no:va", " "]),
    ],
)
def test_formats(name: str, good: list[str], bad: list[str]) -> None:
    check = Check({"type": "string", "format": name})
    for value in good:
        assert check.accepts(value), value
    for value in bad:
        assert not check.accepts(value), value


@given(st.binary(max_size=200))
def test_what_encoders_make_is_base64(data: bytes) -> None:
    assert formats.is_base64(base64.encodebytes(data).decode())


# A day within the calendar's ends: beyond them is no moment in UTC.
_FIRST, _LAST = datetime.datetime(2, 1, 1), datetime.datetime(9998, 12, 31)


@given(st.datetimes(timezones=st.timezones(), min_value=_FIRST, max_value=_LAST))
def test_any_iso_date_is_read_as_the_same_moment(moment) -> None:
    text = moment.replace(microsecond=0).isoformat()
    if len(text) == 25:
        expected = datetime.datetime.fromisoformat(text).astimezone(datetime.UTC)
        assert formats.parse_date_time(text) == expected
        assert formats.parse_date_time(text.replace("+", " ")) == expected


def test_messages() -> None:
    check = Check(parts.wrapped("box", parts.closed({"name": parts.NAME}, ("name",))))
    with pytest.raises(InvalidInput, match=r"^Invalid input for field/attribute name\. Value: 3\. "):
        check.body({"box": {"name": 3}})
    with pytest.raises(InvalidInput, match="box"):
        check.body({})
    query = Check(parts.query({"limit": parts.single(parts.NON_NEGATIVE)}))
    with pytest.raises(InvalidInput, match=r"^Invalid input for query parameters limit\. Value: x\. "):
        query.query({"limit": ["x"]})
    with pytest.raises(InvalidInput):
        query.query({"limit": ["1", "2"]})


def test_long_values_are_cut_in_messages() -> None:
    check = Check(parts.closed({"name": {"type": "string", "maxLength": 5}}))
    with pytest.raises(InvalidInput) as caught:
        check.body({"name": "x" * 100_000})
    assert len(str(caught.value)) < 3000


def test_equal_schemas_are_compiled_once() -> None:
    checks = Checks()
    assert checks.of({"type": "string", "minLength": 1}) is checks.of({"minLength": 1, "type": "string"})


def test_drop_unknown() -> None:
    inner = parts.closed({"name": parts.NAME})
    schema = parts.closed({"box": inner, "list": {"type": "array", "items": inner}, "meta": parts.METADATA})
    given_body = {"box": {"name": 1, "x": 2}, "y": 3, "list": [{"z": 1}], "meta": {"any": "thing"}}
    assert drop_unknown(schema, given_body) == {"box": {"name": 1}, "list": [{}], "meta": {"any": "thing"}}
