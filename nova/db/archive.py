"""Takes deleted instances away for good, a small batch a transaction."""

from __future__ import annotations

import datetime

import sqlalchemy as sa

from nova.db import ec2_ids, guest_passwords, jobs, security_groups, server_groups, tags, workflows
from nova.db.engine import Tx
from nova.db.instance_table import INSTANCES, T
from nova.db.schema import BIG, arg, args, stamp
from nova.db.statements import Statement

_GONE = Statement(
    sa.select(T.id)
    .where(T.deleted == 1, T.deleted_at < arg("before"))
    .order_by(T.created_at, T.id)
    .limit(arg("limit", BIG))
)
_BELONGINGS = tuple(
    (table.name, Statement(sa.delete(table).where(column.in_(args("ids")))))
    for table, column in (
        (jobs.JOBS, jobs.J.instance_id),
        (workflows.WORKFLOWS, workflows.W.instance_id),
        (tags.TAGS, tags.TAGS.c.instance_id),
        (security_groups.MEMBERS, security_groups.M.instance_id),
        (server_groups.MEMBERS, server_groups.M.instance_id),
        (guest_passwords.PASSWORDS, guest_passwords.P.instance_id),
        (ec2_ids.IDS, ec2_ids.E.uuid),
        (INSTANCES, T.id),
    )
)


def purge(tx: Tx, before: datetime.datetime, limit: int = 500) -> dict[str, int]:
    """Remove instances deleted before a time, with all that is kept of them; return rows removed by table.

    An empty answer means that nothing was left to do.
    """
    gone = [row[0] for row in tx.rows(_GONE, before=stamp(before), limit=limit)]
    return {name: tx.change(statement, ids=gone) for name, statement in _BELONGINGS} if gone else {}
