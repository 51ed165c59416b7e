"""What a driver's error means for us.

Read from codes alone, so that only the driver in use is ever imported.  Codes: MariaDB's and MySQL's error
lists, PostgreSQL's appendix A (SQLSTATE), sqlite3's messages.
"""

from __future__ import annotations

import enum


class Meaning(enum.Enum):
    """What to do about an error of the driver."""

    DUPLICATE = "duplicate"
    """A unique key was there already."""
    LOST_RACE = "lost race"
    """The transaction was undone by the server (deadlock, lock wait, serialization): do it again."""
    LOST_CONNECTION = "lost connection"
    """Nobody knows what became of the running statement; the connection is of no use any more."""
    BAD_PATTERN = "bad pattern"
    """A user's regular expression is none for this database."""
    OTHER = "other"


_MYSQL_RACES = {1205, 1213, 1020, 1180, 1637}
_MYSQL_LOST = {1040, 1047, 1053, 1077, 1152, 1158, 1159, 1160, 1161, 1184, 1203, 1290, 1792, 1836, 1927}
_PG_RACES = {"40001", "40P01", "55P03", "40003"}
_PG_LOST = ("08", "57P", "53300", "25006", "25P03")


def meaning(error: BaseException, dialect: str) -> Meaning:
    """Classify an error raised by a driver; programming mistakes are OTHER."""
    if isinstance(error, OSError):
        return Meaning.LOST_CONNECTION
    name = type(error).__name__
    if dialect == "sqlite":
        return _sqlite(name, str(error))
    if dialect == "postgresql":
        return _postgresql(name, getattr(error, "sqlstate", None))
    return _mysql(name, error.args[0] if error.args else None)


def _sqlite(name: str, message: str) -> Meaning:
    if name == "IntegrityError" and message.startswith("UNIQUE"):
        return Meaning.DUPLICATE
    if name == "OperationalError" and ("locked" in message or "busy" in message):
        return Meaning.LOST_RACE
    if name == "OperationalError" and ("unable to open" in message or "disk I/O" in message):
        return Meaning.LOST_CONNECTION
    # sqlite3 hides what our own function raised.
    return Meaning.BAD_PATTERN if "user-defined function raised" in message else Meaning.OTHER


def _mysql(name: str, code: object) -> Meaning:
    if code == 1062:
        return Meaning.DUPLICATE
    if code == 1139:
        return Meaning.BAD_PATTERN
    if code in _MYSQL_RACES:
        return Meaning.LOST_RACE
    if code in _MYSQL_LOST or (isinstance(code, int) and 2000 <= code < 3000):
        return Meaning.LOST_CONNECTION
    return Meaning.LOST_CONNECTION if name == "InterfaceError" else Meaning.OTHER


def _postgresql(name: str, state: str | None) -> Meaning:
    if state is None:
        return Meaning.LOST_CONNECTION if name in {"OperationalError", "InterfaceError"} else Meaning.OTHER
    if state == "23505":
        return Meaning.DUPLICATE
    if state == "2201B":
        return Meaning.BAD_PATTERN
    if state in _PG_RACES:
        return Meaning.LOST_RACE
    return Meaning.LOST_CONNECTION if state.startswith(_PG_LOST) else Meaning.OTHER
