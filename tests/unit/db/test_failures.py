"""What drivers' errors mean, by their codes."""

from __future__ import annotations

import sqlite3

import psycopg.errors
import pymysql.err
import pytest

from nova.db.failures import Meaning, meaning

CASES = [
    ("sqlite", sqlite3.IntegrityError("UNIQUE constraint failed: a.b"), Meaning.DUPLICATE),
    ("sqlite", sqlite3.IntegrityError("NOT NULL constraint failed: a.b"), Meaning.OTHER),
    ("sqlite", sqlite3.OperationalError("database is locked"), Meaning.LOST_RACE),
    ("sqlite", sqlite3.OperationalError("no such table: x"), Meaning.OTHER),
    ("sqlite", sqlite3.OperationalError("user-defined function raised exception"), Meaning.BAD_PATTERN),
    ("mysql", pymysql.err.IntegrityError(1062, "Duplicate entry"), Meaning.DUPLICATE),
    ("mysql", pymysql.err.OperationalError(1213, "Deadlock found"), Meaning.LOST_RACE),
    ("mysql", pymysql.err.OperationalError(1205, "Lock wait timeout"), Meaning.LOST_RACE),
    ("mysql", pymysql.err.OperationalError(2013, "Lost connection"), Meaning.LOST_CONNECTION),
    ("mysql", pymysql.err.OperationalError(2003, "Can't connect"), Meaning.LOST_CONNECTION),
    ("mysql", pymysql.err.OperationalError(1290, "read-only"), Meaning.LOST_CONNECTION),
    ("mysql", pymysql.err.InterfaceError(0, ""), Meaning.LOST_CONNECTION),
    ("mysql", pymysql.err.ProgrammingError(1064, "syntax"), Meaning.OTHER),
    ("mysql", pymysql.err.OperationalError(1139, "regexp"), Meaning.BAD_PATTERN),
    ("postgresql", psycopg.errors.UniqueViolation(), Meaning.DUPLICATE),
    ("postgresql", psycopg.errors.DeadlockDetected(), Meaning.LOST_RACE),
    ("postgresql", psycopg.errors.SerializationFailure(), Meaning.LOST_RACE),
    ("postgresql", psycopg.errors.AdminShutdown(), Meaning.LOST_CONNECTION),
    ("postgresql", psycopg.errors.CannotConnectNow(), Meaning.LOST_CONNECTION),
    ("postgresql", psycopg.OperationalError("connection refused"), Meaning.LOST_CONNECTION),
    ("postgresql", psycopg.errors.SyntaxError(), Meaning.OTHER),
    ("postgresql", psycopg.errors.InvalidRegularExpression(), Meaning.BAD_PATTERN),
    ("postgresql", ConnectionResetError(), Meaning.LOST_CONNECTION),
    ("mysql", ValueError("ours"), Meaning.OTHER),
]


@pytest.mark.parametrize(("backend", "error", "meant"), CASES)
def test_meaning(backend: str, error: Exception, meant: Meaning) -> None:
    assert meaning(error, backend) is meant
