"""By how much each conductor saw the wall clock be set: the check of late jobs forgives that."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column unless it is there."""
    known = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("owners")}
    if "leapt_s" not in known:
        op.add_column("owners", sa.Column("leapt_s", sa.Double(), nullable=False, server_default="0"))
