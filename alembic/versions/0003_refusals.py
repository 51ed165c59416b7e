"""Refusals are kept as answers are: copies of what was refused change nothing."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column unless it is there."""
    known = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("call_answers")}
    if "refused" not in known:
        op.add_column(
            "call_answers", sa.Column("refused", sa.SmallInteger(), nullable=False, server_default="0")
        )
