"""What a database or its URL is at fault with, in a sentence for who runs a command."""

from __future__ import annotations

import sqlalchemy as sa

_DRIVERS = {"sqlite3", "pymysql", "psycopg"}
_NO_TABLE = ("no such table", "doesn't exist", "does not exist")


def fault(error: Exception) -> str | None:
    """Return the sentence; None for an error that is not the database's."""
    driver = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    if type(driver).__module__.split(".")[0] in _DRIVERS:
        said = str(driver).strip().splitlines()
        words = said[0] if said else type(driver).__name__
        if any(sign in words for sign in _NO_TABLE):
            return f"The database lacks tables of this release ({words}). Run nova-manage db sync."
        return f"The database named by [database] connection does not serve: {words}"
    if isinstance(error, sa.exc.ArgumentError | sa.exc.NoSuchModuleError | NotADatabase):
        return f"[database] connection is not understood: {error}"
    return None


class NotADatabase(ValueError):
    """A URL of a database that is none of ours."""
