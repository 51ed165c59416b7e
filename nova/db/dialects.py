"""Where the three databases differ: how a connection is prepared, and a few words of SQL."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from nova.db import mysql
from nova.errors.operating import OptionNotUnderstood

IDLE_S = 5
"""A transaction whose process sends nothing for so long is ended by the server.

Longer than the lease of a conductor (its workflows are others' by then) and far longer than there is ever a
pause between two statements of one that works; one that was ended wrongly is begun anew.
"""
LOCK_S = 10
"""A statement waits so long for a lock: longer than a process that stands still can hold it."""
_BOUNDS = {
    # Only MariaDB reads what is in the comment; MySQL knows no such bound.
    "mysql": f"SET SESSION innodb_lock_wait_timeout = {LOCK_S}"
    f" /*M!100300 , SESSION idle_transaction_timeout = {IDLE_S} */",
    "postgresql": f"SELECT set_config('idle_in_transaction_session_timeout', '{IDLE_S}s', false),"
    f" set_config('lock_timeout', '{LOCK_S}s', false)",
}
_OPTION = "[database] connection"
_DRIVERS = {"mysql": "mysql+pymysql", "mariadb": "mysql+pymysql", "postgresql": "postgresql+psycopg"}


def address(url: str) -> sa.URL:
    """Return the URL with our driver where it names none; raises ``OptionNotUnderstood`` for others."""
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        # What SQLAlchemy says of it may quote it, password and all.
        raise OptionNotUnderstood(option=_OPTION, reason="it is no URL as SQLAlchemy knows them") from None
    if "+" not in parsed.drivername:
        parsed = parsed.set(drivername=_DRIVERS.get(parsed.drivername, parsed.drivername))
    if parsed.drivername not in {"sqlite", "mysql+pymysql", "postgresql+psycopg"}:
        reason = f"the database must be sqlite, mysql or postgresql, not {parsed.drivername}"
        raise OptionNotUnderstood(option=_OPTION, reason=reason)
    return parsed


def connect_args(url: sa.URL, connect_timeout_s: float) -> dict[str, Any]:
    """Return what the driver is to be told: every connection commits by itself unless we say BEGIN."""
    backend = url.get_backend_name()
    if backend == "sqlite":
        return {"isolation_level": None, "check_same_thread": False, "timeout": 0.2, "cached_statements": 512}
    if backend == "mysql":
        found_rows = 2
        return {
            "autocommit": True,
            "client_flag": found_rows,
            "connect_timeout": max(1, int(connect_timeout_s)),
            "collation": "utf8mb4_bin",
            "init_command": "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
        }
    return {"autocommit": True, "connect_timeout": max(1, int(connect_timeout_s))}


def watch_connections(engine: sa.Engine, *, durable: bool) -> None:
    """Have the connections of an engine opened and prepared as this package wants them."""
    backend = engine.dialect.name
    open_as_ours(engine)

    @sa.event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        prepare_connection(connection, backend, durable=durable)


def open_as_ours(engine: sa.Engine) -> None:
    """Have the connections of an engine opened by our variant of the driver, where there is one."""
    if engine.dialect.name != "mysql":
        return
    connect = mysql.connector()

    @sa.event.listens_for(engine, "do_connect")
    def _connect(_dialect: Any, _record: Any, args: Any, settings: Any) -> Any:
        return connect(*args, **settings)


def prepare_connection(connection: Any, backend: str, *, durable: bool) -> None:
    """Set up a fresh connection of the driver."""
    if backend != "sqlite":
        connection.cursor().execute(_BOUNDS[backend])
        return
    connection.create_function("regexp", 2, _regexp, deterministic=True)
    for pragma in (
        "journal_mode=WAL",
        f"synchronous={'FULL' if durable else 'OFF'}",
        "foreign_keys=ON",
        "temp_store=MEMORY",
        "cache_size=-16000",
        "mmap_size=268435456",
        "wal_autocheckpoint=4000",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


@functools.lru_cache(maxsize=64)
def _search(pattern: str) -> Callable[[str], bool]:
    """Return the question whether a text matches somewhere, answered in linear time.

    The patterns are users': Python's own ``re`` can be made to search for ever, with the process standing
    still.  The JSON schema validator brings an engine that cannot (and refuses back references).
    """
    import jsonschema_rs

    validator = jsonschema_rs.validator_for(
        {"pattern": pattern}, pattern_options=jsonschema_rs.RegexOptions()
    )
    matches: Callable[[str], bool] = validator.is_valid
    return matches


def _regexp(pattern: str, value: str | None) -> int:
    return 0 if value is None else int(_search(pattern)(value))


class concat(FunctionElement[str]):  # noqa: N801 - it is a word of SQL
    """Texts put together; none of them may be NULL."""

    type = sa.Text()
    inherit_cache = True


@compiles(concat)
def _concat(element: concat, compiler: SQLCompiler, **kwargs: Any) -> str:
    return "(" + " || ".join(compiler.process(part, **kwargs) for part in element.clauses) + ")"


@compiles(concat, "mysql", "mariadb")
def _concat_mysql(element: concat, compiler: SQLCompiler, **kwargs: Any) -> str:
    return "CONCAT(" + ", ".join(compiler.process(part, **kwargs) for part in element.clauses) + ")"


class json_quote(FunctionElement[str]):  # noqa: N801 - it is a word of SQL
    """A text as a JSON string."""

    type = sa.Text()
    inherit_cache = True


@compiles(json_quote)
def _quote(element: json_quote, compiler: SQLCompiler, **kwargs: Any) -> str:
    return f"json_quote({compiler.process(element.clauses, **kwargs)})"


@compiles(json_quote, "postgresql")
def _quote_postgresql(element: json_quote, compiler: SQLCompiler, **kwargs: Any) -> str:
    return f"to_json({compiler.process(element.clauses, **kwargs)})::text"


class as_text(FunctionElement[str]):  # noqa: N801 - it is a word of SQL
    """A whole number as text."""

    type = sa.Text()
    inherit_cache = True


@compiles(as_text)
def _as_text(element: as_text, compiler: SQLCompiler, **kwargs: Any) -> str:
    return f"CAST({compiler.process(element.clauses, **kwargs)} AS TEXT)"


@compiles(as_text, "mysql", "mariadb")
def _as_text_mysql(element: as_text, compiler: SQLCompiler, **kwargs: Any) -> str:
    return f"CAST({compiler.process(element.clauses, **kwargs)} AS CHAR)"


def mysql_hint(query: sa.Select[Any], table: sa.Table, words: str) -> sa.Select[Any]:
    """Return the query with words on how MariaDB and MySQL shall use the indexes of a table."""
    for dialect in ("mysql", "mariadb"):
        query = query.with_hint(table, words, dialect)
    return query
