"""Answers of MariaDB and MySQL are read as the driver reads them, from the bytes on the wire."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from typing import Any

import pytest
from pymysql import err
from pymysql.connections import Connection
from pymysql.constants import FIELD_TYPE
from pymysql.cursors import Cursor

from nova.db import mysql

UTF8, BINARY = 45, 63
MORE = 0x08


def coded(data: bytes | None) -> bytes:
    """Write a value with its length before it."""
    if data is None:
        return b"\xfb"
    n = len(data)
    if n < 251:
        return bytes([n]) + data
    if n < 1 << 16:
        return b"\xfc" + struct.pack("<H", n) + data
    if n < 1 << 24:
        return b"\xfd" + struct.pack("<I", n)[:3] + data
    return b"\xfe" + struct.pack("<Q", n) + data


def column(name: str, kind: int, charset: int = UTF8) -> bytes:
    """Write the description of a column."""
    words = b"".join(coded(word.encode()) for word in ("def", "nova", "t", "t", name, name))
    return words + b"\x0c" + struct.pack("<HIBHBxx", charset, 400, kind, 0, 0)


def end(status: int = 2) -> bytes:
    return b"\xfe" + struct.pack("<HH", 0, status)


def wire(packets: Sequence[bytes]) -> bytes:
    """Number packets; what is too long for one goes on in the next."""
    parts: list[bytes] = []
    for packet in packets:
        rest = packet
        while True:
            part, rest = rest[:0xFFFFFF], rest[0xFFFFFF:]
            parts.append(part)
            if len(part) < 0xFFFFFF:
                break
    return b"".join(
        struct.pack("<I", len(part))[:3] + bytes([(n + 1) % 256]) + part for n, part in enumerate(parts)
    )


COLUMNS = [
    column("text", FIELD_TYPE.VAR_STRING),
    column("bytes", FIELD_TYPE.BLOB, BINARY),
    column("number", FIELD_TYPE.LONGLONG, BINARY),
    column("price", FIELD_TYPE.NEWDECIMAL, BINARY),
    column("ratio", FIELD_TYPE.DOUBLE, BINARY),
    column("day", FIELD_TYPE.DATETIME, BINARY),
    column("json", FIELD_TYPE.JSON, BINARY),
    column("bit", FIELD_TYPE.BIT, BINARY),
    column("long", FIELD_TYPE.BLOB),
]
ROWS: list[tuple[bytes | None, ...]] = [
    ("ü€'".encode(), b"\0\xff", b"-12", b"1.50", b"0.25", b"2030-01-01 00:00:01", b'{"a": 1}', b"\x01", b""),
    (None,) * len(COLUMNS),
    (b"x" * 250, b"y" * 251, b"0", b"0", b"1", b"0000-00-00 00:00:00", b"[]", b"\0", b"z" * 70_000),
]


def answer(columns: Sequence[bytes], rows: Sequence[Sequence[bytes | None]], last: bytes) -> bytes:
    packets = [bytes([len(columns)]), *columns, end()]
    return wire([*packets, *(b"".join(coded(value) for value in row) for row in rows), last])


class _Nobody:
    """Takes what is sent."""

    def settimeout(self, _seconds: float | None) -> None: ...

    def sendall(self, _data: bytes) -> None: ...

    def close(self) -> None: ...


def _listen(connection: Any, answers: io.BytesIO) -> None:
    connection._sock, connection._rfile = _Nobody(), answers
    connection._current_timeout = connection._read_timeout = connection._write_timeout = None


def ask(connection: Any, wired: bytes) -> Cursor:
    """Ask something, and get this answer."""
    _listen(connection, io.BytesIO(wired))
    cursor: Cursor = connection.cursor()
    cursor.execute("select")
    return cursor


def both() -> tuple[Any, Any]:
    return mysql.connector()(defer_connect=True), Connection(defer_connect=True)


@pytest.mark.parametrize(
    ("columns", "rows"),
    [
        (COLUMNS, ROWS),
        (COLUMNS, []),
        (COLUMNS[:1], [(b"x" * (0xFFFFFF + 5),), (b"y",)]),
        (COLUMNS, ROWS * 100),
    ],
    ids=["all kinds", "no row", "over 16 MB", "many"],
)
def test_rows_are_those_of_the_driver(
    columns: Sequence[bytes], rows: Sequence[Sequence[bytes | None]]
) -> None:
    wired = answer(columns, rows, end())
    ours, theirs = (ask(connection, wired) for connection in both())
    assert ours.description == theirs.description
    assert ours.rowcount == theirs.rowcount == len(rows)
    assert ours.fetchall() == theirs.fetchall()


def test_columns_seen_before_are_read_alike() -> None:
    connection = mysql.connector()(defer_connect=True)
    wired = answer(COLUMNS, ROWS, end())
    first, second = ask(connection, wired), ask(connection, wired)
    assert first.fetchall() == second.fetchall()
    assert first.description == second.description


def test_columns_of_the_same_name_and_another_kind_are_kept_apart() -> None:
    connection = mysql.connector()(defer_connect=True)
    number = ask(connection, answer([column("a", FIELD_TYPE.LONG)], [(b"7",)], end())).fetchall()
    text = ask(connection, answer([column("a", FIELD_TYPE.VAR_STRING)], [(b"7",)], end())).fetchall()
    assert (number, text) == (((7,),), (("7",),))


def test_an_error_amid_the_rows_is_told_and_leaves_the_connection() -> None:
    broken = b"\xff" + struct.pack("<H", 1213) + b"#40001Deadlock found"
    for connection in both():
        with pytest.raises(err.OperationalError) as raised:
            ask(connection, answer(COLUMNS, ROWS, broken))
        assert raised.value.args[0] == 1213
        assert connection.open


@pytest.mark.parametrize("kept", [1, 3, 60, 700, -3, -1])
def test_an_answer_that_breaks_off_is_a_lost_connection(kept: int) -> None:
    wired = answer(COLUMNS, ROWS, end())[:kept]
    for connection in both():
        with pytest.raises(err.OperationalError) as raised:
            ask(connection, wired)
        assert raised.value.args[0] == 2013
        assert not connection.open


def test_a_packet_out_of_turn_is_a_lost_connection() -> None:
    wired = bytearray(answer(COLUMNS[:1], [], end()))
    wired[3 + 5] += 7
    connection = mysql.connector()(defer_connect=True)
    with pytest.raises(err.OperationalError):
        ask(connection, bytes(wired))
    assert not connection.open


def test_who_is_torn_out_of_an_answer_leaves_no_connection_behind() -> None:
    class Torn(io.BytesIO):
        """Ends whoever reads its rows."""

        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 400:
                raise KeyboardInterrupt
            return super().read(size)

    connection = mysql.connector()(defer_connect=True)
    _listen(connection, Torn(answer(COLUMNS, ROWS, end())))
    with pytest.raises(KeyboardInterrupt):
        connection.cursor().execute("select")
    assert not connection.open


def test_results_that_follow_each_other_are_all_read() -> None:
    first = [b"\x01", COLUMNS[0], end(), coded(b"a"), end(2 | MORE)]
    second = [b"\x01", COLUMNS[2], end(), coded(b"5"), end()]
    for connection in both():
        cursor = ask(connection, wire([*first, *second]))
        assert cursor.fetchall() == (("a",),)
        assert cursor.nextset()
        assert cursor.fetchall() == ((5,),)
        assert not cursor.nextset()
