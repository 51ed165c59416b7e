"""The hosts as this scheduler sees them: what the conductor showed and told, and what was decided since."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Sequence

from nova.clock import Clock
from nova.conf.scheduler import SchedulerOptions
from nova.errors import NovaError
from nova.objects.host import HostSnapshot
from nova.objects.placement import Decision, PlacementRequest
from nova.scheduler.holds import Holds
from nova.scheduler.host_table import HostTable
from nova.scheduler.pipeline import Placer
from nova.scheduler.question import load_of

_LOG = logging.getLogger(__name__)

Fetch = Callable[[int | None], HostSnapshot]
"""Asks the conductor for all hosts (none), or for what changed after a position."""

_IDLE = 10
"""An idle scheduler asks so many times more rarely, and is idle after so many intervals without requests."""


class View:
    """A host table that keeps up with the conductor, and decisions on it.  Safe between threads."""

    def __init__(self, fetch: Fetch, options: SchedulerOptions, clock: Clock, source: random.Random) -> None:
        self.table = HostTable()
        self._fetch = fetch
        self._options = options
        self._clock = clock
        self._source = source
        self._placer = Placer(options)
        self._holds = Holds(self.table)
        self._lock = threading.Lock()
        """Held while the table is read or changed, never while anything is waited for."""
        self._fetching = threading.Lock()
        self._asked_at = float("-inf")
        """When the latest answer of the conductor was asked for, on the monotonic clock."""
        self._whole_at = float("-inf")
        self._used_at = float("-inf")
        self._failed_at = float("-inf")
        self._failure: NovaError | None = None
        """The latest attempt to ask that failed: when it began, and with what it ended."""
        self._gaps = self._filled = 0
        """How often a message was missing before one that arrived, and how many of these are made good."""
        self.wake: Callable[[], object] = lambda: None
        """Makes :meth:`keep` run soon."""

    def decide_by(self, options: SchedulerOptions) -> None:
        """Take over options; raises what wrong names of filters raise, and changes nothing then."""
        placer = Placer(options)
        with self._lock:
            self._options, self._placer = options, placer

    def __len__(self) -> int:
        return len(self.table)

    @property
    def known(self) -> bool:
        """Tell whether there is any snapshot."""
        return self.table.position is not None

    @property
    def lacks(self) -> bool:
        """Tell whether something is known to have changed that is not here."""
        return self._gaps != self._filled

    def age_s(self) -> float:
        """Return how long ago the conductor was asked for what is here."""
        return self._clock.monotonic() - self._asked_at

    def select(self, requests: Sequence[PlacementRequest]) -> list[Decision]:
        """Decide for all requests in order; what was decided counts from now on.

        An old view, and one that is known to lack something, chooses hosts only when the conductor does not
        answer: its claims have the last word.  Nobody is told no by a view older than the question; when
        there is no younger one, this raises what the conductor's client raised, and holds nothing.
        """
        began = self._used_at = self._clock.monotonic()
        failure = None
        if not self.known:
            self.refresh()
        elif self.lacks or self.age_s() > self._most_age(requests):
            failure = self._try_refresh()
        decisions, held = self._place(requests, may_refuse=self._asked_at > began)
        if not held:
            if failure is not None:
                raise failure
            self.refresh()
            decisions, _ = self._place(requests, may_refuse=True)
        return decisions

    def hear(self, snapshot: HostSnapshot) -> None:
        """Take over what the conductor tells; when something before it is missing, ask for it."""
        with self._lock:
            position = self.table.position
            if snapshot.whole or (position is not None and 0 <= snapshot.position - position <= 1):
                self._apply(snapshot)
                return
            if position is not None and snapshot.position < position:
                return
            self._gaps += 1
        self.wake()

    def keep(self) -> str | None:
        """Ask for what changed if it is time to: the body of a loop."""
        now = self._clock.monotonic()
        interval = self._options.view_refresh_interval
        with self._lock:
            self._holds.expire(now)
        idle = now - self._used_at > _IDLE * interval
        if not self.lacks and self.known and idle and self.age_s() < _IDLE * interval * 0.9:
            return None
        self.refresh()
        return f"{len(self)} hosts at {self.table.position}"

    def refresh(self) -> None:
        """Ask the conductor; whoever waits while another begins to ask shares what comes of it."""
        began = self._clock.monotonic()
        with self._fetching:
            if self._asked_at > began:
                return
            if self._failure is not None and self._failed_at > began:
                raise self._failure
            asked_at = self._clock.monotonic()
            whole = not self.known or asked_at - self._whole_at >= self._options.view_whole_interval
            gaps = self._gaps
            try:
                snapshot = self._fetch(None if whole else self.table.position)
            except NovaError as error:
                self._failed_at, self._failure = asked_at, error
                raise
            with self._lock:
                if snapshot.whole or snapshot.position >= (self.table.position or 0):
                    self._apply(snapshot)
                self._filled = gaps
            self._asked_at = asked_at
            if snapshot.whole:
                self._whole_at = asked_at

    def _most_age(self, requests: Sequence[PlacementRequest]) -> float:
        options = self._options
        again = any(request.excluded for request in requests)
        return min(options.view_max_age, options.view_stale_after) if again else options.view_stale_after

    def _try_refresh(self) -> NovaError | None:
        try:
            self.refresh()
        except NovaError as error:
            _LOG.warning("a view %.1f s old is used: the conductor does not answer: %s", self.age_s(), error)
            return error
        return None

    def _place(
        self, requests: Sequence[PlacementRequest], *, may_refuse: bool
    ) -> tuple[list[Decision], bool]:
        """Decide, and hold all of it; or nothing, when somebody is refused who may not be."""
        with self._lock:
            now = self._clock.monotonic()
            self._holds.expire(now)
            decisions = self._placer.place(self.table, requests, self._source)
            if not may_refuse and not all(decision.choices for decision in decisions):
                return decisions, False
            until = now + self._options.hold_time
            for request, decision in zip(requests, decisions, strict=True):
                load = load_of(request)
                for choice in decision.choices:
                    self._holds.add((choice.host, choice.node), load, choice.generation, until)
        return decisions, True

    def _apply(self, snapshot: HostSnapshot) -> None:
        keys = None if snapshot.whole else [*((v.host, v.node) for v in snapshot.hosts), *snapshot.gone]
        lifted = self._holds.lift(keys)
        self.table.apply(snapshot)
        self._holds.lay(lifted, self._clock.monotonic())
