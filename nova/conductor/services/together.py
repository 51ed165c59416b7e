"""Admitting requests together: those that come while a commit is under way share the next one (ADR 71)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

from nova.conductor.engine.coalesce import Coalescer
from nova.errors import Unavailable
from nova.errors.database import CommitUnknown

Q = TypeVar("Q")
A = TypeVar("A")

LOG = logging.getLogger(__name__)

MOST = 64
"""How many requests share a transaction at most: it holds locks, and what fails is done again one by one."""
LANES = 8
"""Projects meet others in one of so many: where one waits for a lock, most others do not."""


class Together(Generic[Q, A]):
    """Grants requests, many in one transaction where they meet.

    Only ``alone`` refuses: it knows what else a refusal may mean, as the second copy of a message that was
    granted before.  ``many`` grants what it can in one transaction, by position, and leaves the others out;
    when it raises, nothing of it happened.  ``project`` names whose request one is.
    """

    def __init__(
        self,
        alone: Callable[[Q], A],
        many: Callable[[Sequence[Q]], Mapping[int, A]],
        project: Callable[[Q], str],
    ) -> None:
        self._alone = alone
        self._many = many
        self._project = project
        self._lanes: list[Coalescer[Q, tuple[A, ...]]] = [Coalescer(self._admit, MOST) for _ in range(LANES)]

    def ask(self, request: Q) -> A:
        """Return the answer to a request; raises its own refusal, never that of another."""
        granted = self._lane(self._project(request)).submit(request)
        return granted[0] if granted else self._alone(request)

    def _lane(self, project: str) -> Coalescer[Q, tuple[A, ...]]:
        return self._lanes[hash(project) % LANES]

    def _admit(self, requests: Sequence[Q]) -> Sequence[tuple[A, ...]]:
        if len(requests) == 1:
            return [(self._alone(requests[0]),)]
        granted: Mapping[int, A] = {}
        try:
            granted = self._many(requests)
        except CommitUnknown:
            LOG.warning("Whether %d requests were admitted is unknown; each looks for itself", len(requests))
        except Unavailable:
            raise
        except Exception as error:  # one of them is to blame, and is told so when it is admitted alone
            LOG.info("%d requests are admitted one by one: %s", len(requests), error)
        return [(granted[n],) if n in granted else () for n in range(len(requests))]
