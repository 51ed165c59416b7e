"""Changes that are made once, however many copies of the message that asks for them come, and wherever.

A caller sends a call again when no answer comes or the broker did not confirm it; the copies bear one call id
and may reach several conductors.  The answer is kept in the transaction that makes the change: of two copies
one commits, the other finds the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from nova import ids
from nova.context import RequestContext
from nova.db import call_answers
from nova.db.engine import Tx
from nova.errors import NovaError, Unavailable

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
        kept: R = msgspec.json.decode(found, type=kind)
        return kept

    try:
        return world.db.run(whole, settled=known)
    except Unavailable:
        raise
    except NovaError:
        if not ctx.call_id or (answer := world.db.read(known)) is None:
            raise
        return answer
