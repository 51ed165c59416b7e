"""Migrations: they make exactly the schema the code declares, quickly, on every database."""

from __future__ import annotations

import time

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from nova.db import dialects, migrate
from nova.db.tables import metadata
from tests.support.databases import BACKENDS, Databases


@pytest.fixture(params=BACKENDS)
def url(request: pytest.FixtureRequest, databases: Databases) -> str:
    return databases.url(request.param)


def test_the_migrated_schema_is_the_declared_one(url: str) -> None:
    assert migrate.version(url) is None
    begun = time.monotonic()
    assert migrate.upgrade(url) == migrate.head() == migrate.version(url)
    assert time.monotonic() - begun < 10  # the issue asks for 2 s on a machine that does nothing else
    engine = sa.create_engine(dialects.address(url))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        found = {t: {i["name"] for i in sa.inspect(connection).get_indexes(t)} for t in metadata.tables}
    for name, table in metadata.tables.items():
        assert {index.name for index in table.indexes} <= found[name]
    engine.dispose()


def test_migrating_again_goes_on_where_it_broke_off(url: str) -> None:
    migrate.upgrade(url)
    engine = sa.create_engine(dialects.address(url))
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE alembic_version"))
        connection.execute(sa.text("DROP TABLE jobs"))
        connection.execute(sa.text("DROP TABLE console_tokens"))
        next(i for i in metadata.tables["workflows"].indexes if i.name == "workflows_finished").drop(
            connection
        )
    engine.dispose()
    assert migrate.upgrade(url) == migrate.head()
    assert migrate.upgrade(url) == migrate.head()
    with engine.connect() as connection:
        for name in ("jobs", "console_tokens", "workflows"):
            found = {index["name"] for index in sa.inspect(connection).get_indexes(name)}
            assert {index.name for index in metadata.tables[name].indexes} <= found
    engine.dispose()


def test_a_release_serves_on_its_own_schema_and_on_that_of_a_newer_one(url: str) -> None:
    assert not migrate.can_serve(migrate.version(url))
    migrate.upgrade(url, "0001")
    assert not migrate.can_serve(migrate.version(url))
    migrate.upgrade(url)
    assert migrate.can_serve(migrate.version(url))
    engine = sa.create_engine(dialects.address(url))
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    assert migrate.can_serve(migrate.version(url))
