"""Flavors and who may use the private ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import sqlalchemy as sa

from nova.db.batch import Insert
from nova.db.engine import TryAgain, Tx
from nova.db.schema import BIG, FLAG, JSON, NAME, arg, args, needed, table
from nova.db.statements import Statement
from nova.objects.flavor import Flavor
from nova.objects.ids import FlavorId, ProjectId

FLAVORS = table(
    "flavors",
    sa.Column("id", NAME, primary_key=True),
    needed("name", NAME, unique=True),
    needed("is_public", FLAG),
    needed("revision", BIG),
    needed("body", JSON),
)
ACCESS = table(
    "flavor_access",
    sa.Column("flavor_id", NAME, sa.ForeignKey("flavors.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("project_id", NAME, primary_key=True),
)
F, A = FLAVORS.c, ACCESS.c
_INSERT = Insert(FLAVORS, ("id", "name", "is_public", "revision", "body"))
_GRANT = Insert(ACCESS, ("flavor_id", "project_id"))
_SHOW = Statement(sa.select(F.body, F.revision).where(F.id == arg("id")))
_LIST = Statement(sa.select(F.body).order_by(F.id))
_VISIBLE = Statement(
    sa.select(F.body)
    .where(sa.or_(F.is_public == 1, F.id.in_(sa.select(A.flavor_id).where(A.project_id == arg("project")))))
    .order_by(F.id)
)
_UPDATE = Statement(
    sa.update(FLAVORS)
    .values(name=arg("name"), is_public=arg("is_public"), body=arg("body"), revision=F.revision + 1)
    .where(F.id == arg("id"), F.revision == arg("revision"))
)
_DELETE = Statement(sa.delete(FLAVORS).where(F.id == arg("id")))
_REVOKE = Statement(sa.delete(ACCESS).where(A.flavor_id == arg("id"), A.project_id == arg("project")))
_ACCESS = Statement(sa.select(A.project_id).where(A.flavor_id == arg("id")).order_by(A.project_id))
_GRANTED = Statement(
    sa.select(A.flavor_id).where(A.flavor_id.in_(args("ids")), A.project_id == arg("project"))
)
_decode = msgspec.json.Decoder(Flavor).decode
_encode = msgspec.json.Encoder().encode


def insert(tx: Tx, flavor: Flavor) -> None:
    """Store a new flavor; raises ``Duplicate`` when id or name is taken."""
    _INSERT.run(tx, [(flavor.id, flavor.name, int(flavor.is_public), 0, _encode(flavor).decode())])


def get(tx: Tx, flavor_id: FlavorId) -> Flavor | None:
    """Return a flavor, whoever may use it, or None."""
    row = tx.row(_SHOW, id=flavor_id)
    return _decode(row[0]) if row else None


def all_flavors(tx: Tx) -> list[Flavor]:
    """Return every flavor, by id."""
    return [_decode(body) for (body,) in tx.rows(_LIST)]


def visible_to(tx: Tx, project: ProjectId) -> list[Flavor]:
    """Return the flavors that a project may use, by id."""
    return [_decode(body) for (body,) in tx.rows(_VISIBLE, project=project)]


def granted(tx: Tx, flavors: Sequence[FlavorId], project: ProjectId) -> set[FlavorId]:
    """Return to which of these flavors a project was given access."""
    return {row[0] for row in tx.rows(_GRANTED, ids=flavors, project=project)} if flavors else set()


def edit(tx: Tx, flavor_id: FlavorId, change: Callable[[Flavor], Flavor]) -> Flavor | None:
    """Change a flavor (its description or extra specs); ``change`` may refuse by raising.

    None: there is no such flavor.
    """
    row = tx.row(_SHOW, id=flavor_id)
    if row is None:
        return None
    after = msgspec.structs.replace(change(_decode(row[0])), updated_at=tx.now)
    done = tx.change(
        _UPDATE,
        id=flavor_id,
        revision=row[1],
        name=after.name,
        is_public=int(after.is_public),
        body=_encode(after).decode(),
    )
    if not done:
        raise TryAgain()
    return after


def delete(tx: Tx, flavor_id: FlavorId) -> bool:
    """Remove a flavor and its access list; False when there is none.  Instances keep their copies."""
    return bool(tx.change(_DELETE, id=flavor_id))


def access(tx: Tx, flavor_id: FlavorId) -> list[ProjectId]:
    """Return the projects that may use a private flavor."""
    return [row[0] for row in tx.rows(_ACCESS, id=flavor_id)]


def grant(tx: Tx, flavor_id: FlavorId, project: ProjectId) -> None:
    """Let a project use a flavor; raises ``Duplicate`` when it may already."""
    _GRANT.run(tx, [(flavor_id, project)])


def revoke(tx: Tx, flavor_id: FlavorId, project: ProjectId) -> bool:
    """Take the right away; False when there was none."""
    return bool(tx.change(_REVOKE, id=flavor_id, project=project))
