"""Changes that are made once, however many copies of the message that asks for them come, and wherever.

A caller sends a call again when no answer comes or the broker did not confirm it; the copies bear one call id
and may reach several conductors.  The answer is kept in the transaction that makes the change: of two copies
one commits, the other finds the answer.  A refusal is kept before it is told, under the same unique key: what
one copy was refused, no other does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from nova import ids
from nova.context import RequestContext
from nova.db import call_answers
from nova.db.engine import Tx
from nova.errors import NovaError, Unavailable, revive
from nova.errors.database import Duplicate

if TYPE_CHECKING:
    from nova.conductor.world import World

R = TypeVar("R")


def once(world: World, ctx: RequestContext, work: Callable[[Tx], R], kind: Any) -> R:
    """Run work in a transaction unless a copy of this call did; return the answer, a value of ``kind``.

    The work's refusals are raised as they are, but for those that a copy meets because the change is made.
    None is no answer: work that has nothing to tell returns True.
    """
    call_id = ctx.call_id or ids.new_uuid()

    def whole(tx: Tx) -> R:
        answer = work(tx)
        call_answers.insert(tx, call_id, msgspec.json.encode(answer).decode())
        return answer

    def known(tx: Tx) -> R | None:
        found = call_answers.get(tx, call_id)
        if found is None:
            return None
        if found.refused:
            raise refusal(found.answer)
        kept: R = msgspec.json.decode(found.answer, type=kind)
        return kept

    def keep(tx: Tx, error: str) -> None:
        call_answers.insert(tx, call_id, error, refused=True)

    return agreed(world, whole, known, keep)


def agreed(
    world: World,
    work: Callable[[Tx], R],
    settled: Callable[[Tx], R | None],
    keep: Callable[[Tx, str], None],
) -> R:
    """Run work in a transaction; a copy of it is answered as the copy that was first.

    ``settled`` returns what a copy was granted, raises what it was refused, and returns None where none was
    answered; ``keep`` writes a refusal (:func:`refusal` reads it) under the key that work writes, too.
    """
    try:
        return world.db.run(work, settled=settled)
    except Unavailable:
        raise
    except NovaError as refused:
        return bound(world, refused, settled, keep)


def bound(
    world: World, refused: NovaError, settled: Callable[[Tx], R | None], keep: Callable[[Tx, str], None]
) -> R:
    """Raise a refusal once it binds every copy; return or raise what a copy was answered before."""
    if (found := world.db.read(settled)) is not None:
        return found
    error = msgspec.json.encode(refused.to_wire(), enc_hook=str).decode()
    try:
        world.db.once(lambda tx: keep(tx, error), repeatable=True)
    except Duplicate:
        # A copy was answered just now; or this one was kept, and the database lost its answer.
        if (found := world.db.read(settled)) is not None:
            return found
    raise refused


def refusal(kept: str) -> NovaError:
    """Return the error of a refusal as it was kept."""
    name, facts = msgspec.json.decode(kept)
    return revive(name, facts)
