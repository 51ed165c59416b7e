"""Quotas: limits, and use counted in the transaction that uses.

One row a scope (a project, or :func:`of_user` for key pairs) counts all resources, so reserving instances,
cores and RAM is one conditional UPDATE: whoever would go over the limit changes nothing.  Reserve in the
transaction that inserts, release in the one that deletes; there is nothing in between to leak.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec
import sqlalchemy as sa

from nova.db import fixed_ips, instances
from nova.db.batch import Insert, Update
from nova.db.engine import TryAgain, Tx
from nova.db.schema import BIG, COUNT, NAME, WORD, arg, args, needed, table
from nova.db.statements import Statement
from nova.objects.ids import ProjectId, UserId

RESOURCES = (
    "instances", "cores", "ram", "key_pairs", "server_groups", "security_groups", "floating_ips", "networks",
)  # fmt: skip

COUNTED = ("instances", "cores", "ram")
"""What :func:`nova.db.instances.use_of` counts, in its order."""

USAGES = table(
    "quota_usages",
    sa.Column("scope", NAME, primary_key=True),
    *(needed(resource, BIG) for resource in RESOURCES),
)
LIMITS = table(
    "quota_limits",
    sa.Column("scope", NAME, primary_key=True),
    sa.Column("user_id", NAME, primary_key=True),
    sa.Column("resource", WORD, primary_key=True),
    needed("hard_limit", COUNT),
)
U, L = USAGES.c, LIMITS.c
DEFAULT_CLASS = "class:default"


class Shortage(msgspec.Struct, frozen=True, kw_only=True):
    """Why a reservation was refused: the resources that would go over, with all facts for the message."""

    over: tuple[str, ...]
    requested: dict[str, int]
    used: dict[str, int]
    limits: dict[str, int]


def of_user(user: UserId) -> str:
    """Return the scope of a user (for key pairs)."""
    return f"user:{user}"


def reserve(
    tx: Tx, scope: str, deltas: Mapping[str, int], limits: Mapping[str, int]
) -> Literal[True] | Shortage:
    """Use so much more of each resource if all stay within the limits (negative = none), else say why not."""
    resources = tuple(sorted(deltas))
    params = {f"d_{name}": deltas[name] for name in resources}
    params |= {f"l_{name}": limits.get(name, -1) for name in resources}
    if tx.change(_reserve(resources), scope=scope, **params):
        return True
    used = _used(tx, scope)
    if used is None:
        _MAKE.run(tx, [(scope, *([0] * len(RESOURCES)))])
        if tx.change(_reserve(resources), scope=scope, **params):
            return True
        used = _used(tx, scope) or {}
    over = tuple(n for n in resources if 0 <= limits.get(n, -1) < used.get(n, 0) + deltas[n])
    if not over:  # somebody released just now
        raise TryAgain()
    return Shortage(
        over=over,
        requested={name: deltas[name] for name in resources},
        used={name: used.get(name, 0) for name in resources},
        limits={name: limits.get(name, -1) for name in resources},
    )


def reserve_between(
    tx: Tx, scope: str, unit: Mapping[str, int], limits: Mapping[str, int], least: int, most: int
) -> int | Shortage:
    """Reserve for ``most`` units, or as many as fit if these are at least ``least``; return how many."""
    count = most
    for _ in range(10):
        short = reserve(tx, scope, {name: n * count for name, n in unit.items()}, limits)
        if short is True:
            return count
        room = [
            (limits[name] - short.used[name]) // n
            for name, n in unit.items()
            if n > 0 and limits.get(name, -1) >= 0
        ]
        fits = min(room, default=count)
        if fits < least or fits < 1:
            asked = {name: n * least for name, n in unit.items()}
            over = tuple(n for n in sorted(unit) if 0 <= limits.get(n, -1) < short.used[n] + asked[n])
            return Shortage(over=over, requested=asked, used=short.used, limits=short.limits)
        count = min(fits, count)
    raise TryAgain()


def stay_within(
    tx: Tx,
    scope: tuple[ProjectId, UserId],
    unit: Mapping[str, int],
    own: Mapping[str, int],
    least: int,
    count: int,
) -> int | Shortage:
    """Cut ``count`` units that were just reserved for a project down to what a user's own limits leave.

    What the user has is counted, not booked: few have limits of their own.  The reservation before holds the
    project's row, so requests of one project are counted one after another.
    """
    bounds = {name: own[name] for name, n in unit.items() if n > 0 and own.get(name, -1) >= 0}
    if not bounds:
        return count
    project, user = scope
    used = dict(zip(COUNTED, instances.use_of(tx, project, user), strict=True))
    return _cut(tx, project, unit, (used, bounds), (least, count))


def stay_within_addresses(
    tx: Tx, project: ProjectId, unit: Mapping[str, int], limit: int, least: int, count: int
) -> int | Shortage:
    """Cut ``count`` units that were just reserved down to the fixed addresses that a project may still take.

    ``unit`` names ``fixed_ips``, too.  They are counted where they are held, and for good only when they are
    taken; this spares servers that could get none.
    """
    if limit < 0 or not unit.get("fixed_ips"):
        return count
    used = {"fixed_ips": fixed_ips.count_of(tx, project)}
    return _cut(tx, project, unit, (used, {"fixed_ips": limit}), (least, count))


def _cut(
    tx: Tx,
    project: ProjectId,
    unit: Mapping[str, int],
    books: tuple[dict[str, int], dict[str, int]],
    wish: tuple[int, int],
) -> int | Shortage:
    """Return how many units (least, most) have room in what is used and allowed; give back the others."""
    used, bounds = books
    least, count = wish
    fits = min((bounds[name] - used[name]) // unit[name] for name in bounds)
    if fits < max(least, 1):
        asked = {name: n * least for name, n in unit.items()}
        over = tuple(name for name in sorted(bounds) if bounds[name] < used[name] + asked[name])
        return Shortage(over=over, requested=asked, used=used, limits=bounds)
    if fits < count:
        release(tx, project, {name: unit[name] * (count - fits) for name in COUNTED})
    return min(fits, count)


def hold(tx: Tx, scope: str) -> None:
    """Lock the row of a scope until the commit: what is counted, not booked, is counted by one at a time."""
    if not tx.change(_add(("instances",)), scope=scope, d_instances=0):
        _MAKE.run(tx, [(scope, *([0] * len(RESOURCES)))])
        tx.change(_add(("instances",)), scope=scope, d_instances=0)


def release(tx: Tx, scope: str, deltas: Mapping[str, int]) -> None:
    """Give back; the caller makes sure that it does so once (it won the swap that deleted)."""
    release_many(tx, [(scope, deltas)])


def release_many(tx: Tx, releases: Sequence[tuple[str, Mapping[str, int]]]) -> None:
    """Give back for several scopes."""
    sums: dict[str, dict[str, int]] = {}
    for scope, deltas in releases:
        total = sums.setdefault(scope, {})
        for name, n in deltas.items():
            total[name] = total.get(name, 0) + n
    if len(sums) == 1:
        ((scope, total),) = sums.items()
        names = tuple(sorted(total))
        tx.change(_add(names), scope=scope, **{f"d_{name}": -total[name] for name in names})
    elif sums:
        _ADD_MANY.run(
            tx, [(s, *(-total.get(name, 0) for name in RESOURCES)) for s, total in sorted(sums.items())]
        )


_MAKE = Insert(USAGES, ("scope", *RESOURCES), if_missing=True)
_ADD_MANY = Update(USAGES, key="scope", adds=RESOURCES)
_USED = Statement(sa.select(*(U[name] for name in RESOURCES)).where(U.scope == arg("scope")))


@functools.cache
def _reserve(resources: tuple[str, ...]) -> Statement:
    room = [
        sa.or_(arg(f"l_{name}", BIG) < 0, U[name] + arg(f"d_{name}", BIG) <= arg(f"l_{name}", BIG))
        for name in resources
    ]
    values = {name: U[name] + arg(f"d_{name}", BIG) for name in resources}
    return Statement(sa.update(USAGES).values(values).where(U.scope == arg("scope"), *room))


@functools.cache
def _add(resources: tuple[str, ...]) -> Statement:
    values = {name: U[name] + arg(f"d_{name}", BIG) for name in resources}
    return Statement(sa.update(USAGES).values(values).where(U.scope == arg("scope")))


def _used(tx: Tx, scope: str) -> dict[str, int] | None:
    row = tx.row(_USED, scope=scope)
    return None if row is None else dict(zip(RESOURCES, map(int, row), strict=True))


def used(tx: Tx, scope: str) -> dict[str, int]:
    """Return what a scope uses, by resource."""
    return _used(tx, scope) or dict.fromkeys(RESOURCES, 0)


_LIMITS = Statement(
    sa.select(L.scope, L.user_id, L.resource, L.hard_limit).where(
        L.scope.in_(args("scopes")), L.user_id.in_(args("users"))
    )
)


def limits(tx: Tx, project: ProjectId, defaults: Mapping[str, int]) -> dict[str, int]:
    """Return the limits in force for a project: options, below the default class, below its own."""
    return limits_with_user(tx, project, defaults, UserId(""))[0]


def limits_with_user(
    tx: Tx, project: ProjectId, defaults: Mapping[str, int], user: UserId
) -> tuple[dict[str, int], dict[str, int]]:
    """Return the limits of a project, and those that one user in it has of his own."""
    rows = tx.rows(_LIMITS, scopes=[DEFAULT_CLASS, project], users=["", user])
    found = dict(defaults)
    for scope in (DEFAULT_CLASS, project):
        found |= {resource: limit for s, u, resource, limit in rows if s == scope and u == ""}
    own = {resource: limit for s, u, resource, limit in rows if user and s == project and u == user}
    return found, own


_ADD_LIMITS = Insert(LIMITS, ("scope", "user_id", "resource", "hard_limit"), if_missing=True)
_SET_LIMITS = Update(LIMITS, key="resource", sets=("hard_limit",), where="t.scope = ? AND t.user_id = ?")
_UNSET_ALL = Statement(sa.delete(LIMITS).where(L.scope == arg("scope"), L.user_id == arg("user")))
_UNSET_EVERY = Statement(sa.delete(LIMITS).where(L.scope == arg("scope")))


def set_limits(tx: Tx, scope: str, wanted: Mapping[str, int], user: UserId | None = None) -> None:
    """Set limits of a scope (a project, or ``DEFAULT_CLASS``), or of one user in it."""
    if wanted:
        limits = sorted(wanted.items())
        _ADD_LIMITS.run(tx, [(scope, user or "", resource, limit) for resource, limit in limits])
        _SET_LIMITS.run(tx, limits, [scope, user or ""])


def clear_limits(tx: Tx, scope: str, user: UserId | None = None) -> None:
    """Go back to the defaults: of one user, or of the scope with all its users."""
    if user is None:
        tx.change(_UNSET_EVERY, scope=scope)
    else:
        tx.change(_UNSET_ALL, scope=scope, user=user)


_CORRECT = Statement(
    sa.update(USAGES)
    .values(instances=arg("instances"), cores=arg("cores"), ram=arg("ram"))
    .where(U.scope == arg("scope"))
)


def recount(tx: Tx, project: ProjectId, *, repair: bool = False) -> tuple[dict[str, int], dict[str, int]]:
    """Count what a project really uses; return (booked, real) for instances, cores and RAM.

    With ``repair`` the books are set to the truth; the row is locked first, so nothing comes between.
    """
    scope: str = project
    if repair:
        hold(tx, scope)
    booked = {name: n for name, n in used(tx, scope).items() if name in {"instances", "cores", "ram"}}
    count, cores, ram = instances.use_of(tx, project)
    real = {"instances": count, "cores": cores, "ram": ram}
    if repair and real != booked:
        tx.change(_CORRECT, scope=scope, **real)
    return booked, real


_SCOPES = Statement(sa.select(U.scope).where(U.scope.not_like("user:%")).order_by(U.scope))


def projects(tx: Tx) -> list[ProjectId]:
    """Return every project that ever used anything."""
    return [ProjectId(scope) for (scope,) in tx.rows(_SCOPES)]
