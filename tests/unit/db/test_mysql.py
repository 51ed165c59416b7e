"""Connections to MariaDB and MySQL share the TLS contexts that cost milliseconds to make."""

from __future__ import annotations

import ssl

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
