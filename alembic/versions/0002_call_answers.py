"""What calls were answered: copies of them change nothing more."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from alembic import op

revision = "0002"
down_revision = "0001"


def text(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    """Make the table and its index unless they are there."""
    bind = op.get_bind()
    added = sa.MetaData()
    answers = sa.Table(
        "call_answers",
        added,
        sa.Column("id", text(36), primary_key=True),
        sa.Column("made_at", text(27), nullable=False),
        sa.Column("answer", sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb"), nullable=False),
        sa.Index("call_answers_by_age", "made_at"),
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        sqlite_autoincrement=True,
    )
    added.create_all(bind)
    known = {index["name"] for index in sa.inspect(bind).get_indexes("call_answers")}
    for index in answers.indexes:
        if index.name not in known:
            index.create(bind)
