"""Tags of instances as rows, for filters; the instance's own row has them too, for views."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from nova.db.batch import Insert
from nova.db.engine import Tx
from nova.db.schema import UUID, arg, args, table, text
from nova.db.statements import Statement
from nova.objects.ids import InstanceId

TAGS = table(
    "instance_tags",
    sa.Column("instance_id", UUID, primary_key=True),
    sa.Column("tag", text(60), primary_key=True),
    sa.Index("instance_tags_by_tag", "tag", "instance_id"),
)
_INSERT = Insert(TAGS, ("instance_id", "tag"), if_missing=True)
_DELETE = Statement(sa.delete(TAGS).where(TAGS.c.instance_id == arg("id"), TAGS.c.tag.in_(args("tags"))))


def insert(tx: Tx, pairs: Sequence[tuple[InstanceId, str]]) -> None:
    """Add tags to instances; those that are there already stay."""
    if pairs:
        _INSERT.run(tx, pairs)


def replace(tx: Tx, instance_id: InstanceId, before: Iterable[str], after: Iterable[str]) -> None:
    """Bring the rows of an instance from one set of tags to another."""
    old, new = set(before), set(after)
    insert(tx, [(instance_id, tag) for tag in sorted(new - old)])
    if old - new:
        tx.change(_DELETE, id=instance_id, tags=sorted(old - new))
