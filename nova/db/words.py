"""What a database or its URL is at fault with, in a sentence for who runs a command."""

from __future__ import annotations

import sqlalchemy as sa

from nova.errors.database import DatabaseUnavailable

_DRIVERS = {"sqlite3", "pymysql", "psycopg"}
# A table or column is missing: MariaDB's codes, PostgreSQL's, and what sqlite3 says.
_LACKING = {1146, 1054, "42P01", "42703"}
_SAID_BY_SQLITE = ("no such table", "no such column")


def fault(error: Exception) -> str | None:
    """Return the sentence; None for an error that is not the database's."""
    if isinstance(error, DatabaseUnavailable) and isinstance(error.__cause__, Exception):
        return fault(error.__cause__)
    driver: BaseException = (isinstance(error, sa.exc.DBAPIError) and error.orig) or error
    if type(driver).__module__.split(".")[0] in _DRIVERS:
        code, *rest = driver.args or ("",)
        # PyMySQL's errors are pairs of code and words.
        said = str(rest[0] if isinstance(code, int) and rest else driver).strip().splitlines()
        words = said[0] if said else type(driver).__name__
        if _lacks(driver, words):
            return f"The database lacks tables of this release ({words}). Run nova-manage db sync."
        return f"The database named by [database] connection does not serve: {words}"
    return None


def _lacks(error: object, words: str) -> bool:
    codes = {getattr(error, "sqlstate", None), *getattr(error, "args", ())[:1]}
    return bool(codes & _LACKING) or words.startswith(_SAID_BY_SQLITE)
