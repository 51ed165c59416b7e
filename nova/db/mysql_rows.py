"""What MariaDB and MySQL answer, taken apart in one pass; imported where such a database is used.

PyMySQL makes an object of every packet and calls four functions for every value: reading a page of rows costs
a multiple of finding it.  Here a row is one loop over its bytes.  All that is not rows is left to the driver.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any

from pymysql import err
from pymysql.connections import TEXT_TYPES, MySQLResult
from pymysql.constants import CR, FIELD_TYPE
from pymysql.converters import through
from pymysql.protocol import FieldDescriptorPacket, MysqlPacket

_MOST = 0xFFFFFF
"""A packet of so many bytes goes on in the next one."""
_KEPT = 4096
"""So many descriptions of columns are kept; ours are some hundreds."""
_NULL = 251
_WIDTHS = {252: 2, 253: 3, 254: 8}
"""How many bytes of length follow such a first byte."""
_END, _ERROR = 0xFE, 0xFF
_BINARY = 63
"""The character set of columns that hold bytes."""
_UTF8 = frozenset({"utf8", "utf-8"})
_word = struct.Struct("<I").unpack

Convert = Callable[[bytes], Any] | None
"""Makes the value of a column; none: its bytes."""
Column = tuple[Any, Any, Convert]
"""The driver's object, its entry in a cursor's description, and what makes its values."""


def row_of(data: bytes, converts: Sequence[Convert]) -> tuple[Any, ...]:
    """Return the values in a packet."""
    values: list[Any] = []
    at = 0
    for convert in converts:
        length = data[at]
        at += 1
        if length > 250:
            if length == _NULL:
                values.append(None)
                continue
            width = _WIDTHS[length]
            length = int.from_bytes(data[at : at + width], "little")
            at += width
        value = data[at : at + length]
        at += length
        values.append(value if convert is None else convert(value))
    return tuple(values)


class Result(MySQLResult):  # type: ignore[misc]  # the driver brings no types
    """A result of the driver; its connection has a dictionary ``columns``, of descriptions seen before."""

    def _read_result_packet(self, first_packet: Any) -> None:
        connection = self.connection
        self.field_count = first_packet.read_length_encoded_integer()
        try:
            failed = self._take(connection)
        except OSError as error:
            connection._force_close()
            raise err.OperationalError(
                CR.CR_SERVER_LOST, f"Lost connection to MySQL server during query ({error})"
            ) from error
        except BaseException:
            # Whatever it was (a green thread's timeout, say), the rest of the answer is still on the wire.
            connection._force_close()
            raise
        if failed is not None:
            failed.raise_for_error()

    def _take(self, connection: Any) -> MysqlPacket | None:
        """Read columns and rows; return the error with which the server broke off, if it did."""
        found = [_column(connection, _content(connection)) for _ in range(self.field_count)]
        self.fields = [field for field, _, _ in found]
        self.description = tuple(words for _, words, _ in found)
        converts = [convert for _, _, convert in found]
        _content(connection)  # the end of the descriptions
        rows: list[tuple[Any, ...]] = []
        while True:
            data = _content(connection)
            first = data[0]
            if first == _ERROR:
                return MysqlPacket(data, connection.encoding)
            if first == _END and len(data) < 9:
                self._check_packet_is_eof(MysqlPacket(data, connection.encoding))
                self.affected_rows = len(rows)
                self.rows = tuple(rows)
                return None
            rows.append(row_of(data, converts))


def _content(connection: Any) -> bytes:
    """Read a packet."""
    found = b""
    while True:
        header = connection._rfile.read(4)
        word = _word(header)[0] if len(header) == 4 else 0
        length, number = word & _MOST, word >> 24
        data: bytes = connection._rfile.read(length)
        if len(header) < 4 or len(data) < length or number != connection._next_seq_id:
            raise err.OperationalError(CR.CR_SERVER_LOST, "Lost connection to MySQL server during query")
        connection._next_seq_id = (number + 1) & 0xFF
        if length < _MOST:
            return found + data if found else data
        found += data


def _column(connection: Any, data: bytes) -> Column:
    """Return what a description says; the same ones come again and again."""
    known: dict[bytes, Column] = connection.columns
    found = known.get(data)
    if found is None:
        field = FieldDescriptorPacket(data, connection.encoding)
        found = field, field.description(), _convert(connection, field)
        if len(known) >= _KEPT:
            known.clear()
        known[data] = found
    return found


def _convert(connection: Any, field: Any) -> Convert:
    kind = field.type_code
    decode: Callable[[bytes], Any] | None = bytes.decode
    if kind == FIELD_TYPE.JSON or kind in TEXT_TYPES:
        encoding = connection.encoding
        if kind != FIELD_TYPE.JSON and field.charsetnr == _BINARY:
            decode = None
        elif encoding not in _UTF8:
            decode = lambda data: data.decode(encoding)  # noqa: E731
    convert = connection.decoders.get(kind)
    if convert is None or convert is through:
        return decode
    if convert is int or decode is None:
        return convert  # type: ignore[no-any-return]
    return lambda data: convert(decode(data))
