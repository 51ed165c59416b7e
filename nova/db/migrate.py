"""Brings a database to the schema of this release, and tells where it stands.

The migrations are the top-level folder ``alembic/``; ``nova/db/migrations`` leads to it in the tree, and is
it in an installed wheel.
"""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from nova.db import dialects
from nova.db.failures import Meaning, meaning
from nova.errors.operating import SchemaAhead, SchemaBusy

if TYPE_CHECKING:
    from alembic.config import Config

SCRIPTS = Path(__file__).parent / "migrations"
LOCK_S = 300
"""How long one migration waits for another, and for a table that somebody holds."""
_CONNECT_S = 10


def upgrade(url: str, revision: str = "head") -> str | None:
    """Run the migrations that are missing; return where the database stands then.

    Idempotent, safe to run in two places at once (the second waits), and goes on where it broke off.  Raises
    :class:`SchemaAhead` for the database of a newer release, :class:`SchemaBusy` when the wait is in vain.
    """
    engine = _engine(url)
    with engine.connect() as connection:
        locked = _lock(connection)
        try:
            found = _version(connection)
            if is_ahead(found):
                raise SchemaAhead(found=found, head=head())
            if found != head() or revision != "head":
                from alembic import command

                config = _config()
                config.attributes["connection"] = connection
                command.upgrade(config, revision)
                connection.commit()
            found = _version(connection)
        finally:
            if locked:
                connection.execute(sa.text("SELECT RELEASE_LOCK('nova-migrations')"))
    engine.dispose()
    return found


def version(url: str) -> str | None:
    """Return the revision of a database; None when it is empty."""
    engine = _engine(url)
    with engine.connect() as connection:
        found = _version(connection)
    engine.dispose()
    return found


def head() -> str:
    """Return the newest revision of this release."""
    found = _revisions()
    (newest,) = found["revision"] - found["down_revision"]
    return newest


def is_ahead(revision: str | None) -> bool:
    """Tell whether a revision is none of this release: the schema of a newer one has it."""
    return revision is not None and revision not in _revisions()["revision"]


def can_serve(revision: str | None) -> bool:
    """Tell whether this release works on a schema: its own, or that of a newer one, which only has more."""
    return revision == head() or is_ahead(revision)


def _revisions() -> dict[str, set[str]]:
    # Read, not run: a database that is up to date is told so without importing alembic.
    found: dict[str, set[str]] = {"revision": set(), "down_revision": set()}
    for script in (SCRIPTS / "versions").glob("*.py"):
        for name, revision in re.findall(r'^(revision|down_revision) = "(\w+)"', script.read_text(), re.M):
            found[name].add(revision)
    return found


def _config() -> Config:
    from alembic.config import Config  # costs 0.1 s that only migrations need to spend

    config = Config(stdout=io.StringIO())
    config.set_main_option("script_location", str(SCRIPTS))
    return config


def _engine(url: str) -> sa.Engine:
    parsed = dialects.address(url)
    told = {} if parsed.get_backend_name() == "sqlite" else {"connect_timeout": _CONNECT_S}
    engine = sa.create_engine(parsed, poolclass=sa.NullPool, connect_args=told)
    dialects.open_as_ours(engine)
    if parsed.get_backend_name() == "sqlite":
        # Left to itself the driver commits every single CREATE; this also makes two upgrades take turns.
        @sa.event.listens_for(engine, "connect")
        def _manual(connection: Any, _record: Any) -> None:
            connection.isolation_level = None
            connection.execute("PRAGMA busy_timeout = 60000")

        @sa.event.listens_for(engine, "begin")
        def _begin(connection: sa.Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _version(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        connection.rollback()
        return None
    found: str | None = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    connection.rollback()
    return found


def _lock(connection: sa.Connection) -> bool:
    """Wait for our turn; tells whether the lock must be given back (elsewhere it ends by itself)."""
    if connection.dialect.name == "postgresql":
        _lock_postgresql(connection)
    if connection.dialect.name not in {"mysql", "mariadb"}:
        return False
    got = connection.execute(sa.text("SELECT GET_LOCK('nova-migrations', :s)"), {"s": LOCK_S}).scalar()
    connection.rollback()
    if got != 1:
        raise SchemaBusy(seconds=LOCK_S)
    return True


def _lock_postgresql(connection: sa.Connection) -> None:
    # For the whole session: a table that somebody holds must not stop a migration for ever either.
    connection.execute(sa.text("SELECT set_config('lock_timeout', :s, false)"), {"s": f"{LOCK_S}s"})
    connection.commit()
    try:
        connection.execute(sa.text("SELECT pg_advisory_lock(7052010)"))
    except sa.exc.DBAPIError as error:
        if error.orig is None or meaning(error.orig, "postgresql") is not Meaning.LOST_RACE:
            raise
        raise SchemaBusy(seconds=LOCK_S) from error
    finally:
        connection.rollback()
