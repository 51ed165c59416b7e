"""How migrations run: on the connection that ``nova.db.migrate`` (or the ``alembic`` command) brings."""

from __future__ import annotations

import os

import sqlalchemy as sa

from alembic import context
from nova.db import dialects
from nova.db.tables import metadata


def _run(connection: sa.Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        transaction_per_migration=True,
        transactional_ddl=connection.dialect.name != "mysql",
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    _run(given)
else:
    # The ``alembic`` command in the tree: NOVA_DATABASE names the database.
    engine = sa.create_engine(dialects.address(os.environ["NOVA_DATABASE"]))
    with engine.begin() as opened:
        _run(opened)
