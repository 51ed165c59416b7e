"""Connections to MariaDB and MySQL share TLS contexts, and write literals as the driver does."""

from __future__ import annotations

import datetime
import enum
import ssl

import pytest
from pymysql.connections import Connection
from pymysql.constants.SERVER_STATUS import SERVER_STATUS_NO_BACKSLASH_ESCAPES

from nova.db import mysql


def test_connections_with_the_same_settings_share_a_context() -> None:
    connect = mysql.connector()
    first, second = connect(defer_connect=True), connect(defer_connect=True)
    assert isinstance(first.ctx, ssl.SSLContext)
    assert first.ctx is second.ctx
    verified = connect(defer_connect=True, ssl={"verify_mode": True})
    assert verified.ctx is not first.ctx
    assert verified.ctx.verify_mode is ssl.CERT_REQUIRED
    assert connect(defer_connect=True, ssl={"verify_mode": True}).ctx is verified.ctx


def test_a_context_that_is_given_is_taken() -> None:
    mine = ssl.create_default_context()
    assert mysql.connector()(defer_connect=True, ssl=mine).ctx is mine


def test_databases_do_not_share() -> None:
    assert mysql.connector()(defer_connect=True).ctx is not mysql.connector()(defer_connect=True).ctx


class Colour(enum.StrEnum):
    RED = "it's"


VALUES = [
    "", "plain", "it's \\ \"all\" \0\n\r\x1a", "ü€", Colour.RED, 0, -5, 1 << 62, True, False, None, 1.5,
    b"\0'x", datetime.datetime(2030, 1, 1),
]  # fmt: skip


@pytest.mark.parametrize("status", [0, SERVER_STATUS_NO_BACKSLASH_ESCAPES])
@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_literals_are_those_of_the_driver(value: object, status: int) -> None:
    ours, theirs = mysql.connector()(defer_connect=True), Connection(defer_connect=True)
    ours.server_status = theirs.server_status = status
    assert ours.escape(value, ours.encoders) == theirs.escape(value, theirs.encoders)


def test_long_texts_become_the_literals_of_the_driver() -> None:
    ours, theirs = mysql.connector()(defer_connect=True), Connection(defer_connect=True)
    ours.server_status = theirs.server_status = 0
    for text in ("x" * 200, "\0\n\r\x1a\"'\\ü" * 50, '{"a": "it\'s \\\\"}' * 30):
        assert ours.escape(text) == theirs.escape(text)
