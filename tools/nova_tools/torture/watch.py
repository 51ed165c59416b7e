"""Looks at the whole cloud all the time: what may never be, what does not heal, how long faults are felt."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field

import sqlalchemy as sa

from nova.audit.checker import Checker, Sight, stayed
from nova.audit.hosts import Agents
from nova.clock import Clock
from nova.daemon import Surroundings
from nova.db.engine import Database
from nova.db.findings import Finding
from nova.errors import NovaError
from nova.rpc.contracts.compute import Compute
from nova.rpc.contracts.network import NetworkHost
from nova_tools.torture.cloud import Cloud
from nova_tools.torture.faults import Inflicted

_LOG = logging.getLogger(__name__)

PAUSE_S = 1.0
_SERVING_PAUSE_S = 0.5
_OLDEST = sa.text(
    "SELECT kind, action, state, step, instance_id, request_id, owner FROM workflows "
    "WHERE running = 1 AND started_at < :moment ORDER BY started_at LIMIT 1"
)


@dataclass
class Watch:
    """The checker at work, and what it saw."""

    cloud: Cloud
    never: list[str] = field(default_factory=list)
    """What must not be for a moment, and was."""
    looks: int = 0
    standing: dict[Finding, float] = field(default_factory=dict)
    """What does not agree at present, and since when."""
    longest_s: float = 0.0
    """The longest that a finding stood."""
    longest: str = ""

    def __post_init__(self) -> None:
        self.db: Database = self.cloud.database()
        self._around = Surroundings(self.cloud.conf())  # type: ignore[arg-type]
        agents = Agents(self._around.client(Compute), self._around.client(NetworkHost), patience_s=5.0)
        self.checker = Checker(self.db, Clock(), lease_s=self.cloud.form.lease_s, agents=agents)
        self._open: list[tuple[Inflicted, str]] = []
        self._guard = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watch", daemon=True)
        self._serving = threading.Thread(target=self._watch_serving, name="watch-serving", daemon=True)
        self._before: Sight | None = None

    def start(self) -> None:
        """Begin."""
        self._thread.start()
        self._serving.start()

    def stop(self) -> None:
        """End, and let go of everything."""
        self._stopping.set()
        self._thread.join(60)
        self._serving.join(60)
        self._around.close()
        self.db.close()

    def felt(self, fault: Inflicted) -> None:
        """Measure how long a fault, which is over now, is felt."""
        with self._guard:
            self._open.append((fault, moment()))

    def open(self) -> int:
        """Return how many faults are still felt."""
        with self._guard:
            return len(self._open)

    def at_rest(self) -> bool:
        """Tell whether no fault is felt any more, and all work that was begun until now has ended."""
        return self.open() == 0 and not self._old_work(moment())

    def _watch(self) -> None:
        while not self._stopping.wait(PAUSE_S):
            began = time.monotonic()
            try:
                self._look(began)
            except (NovaError, sa.exc.SQLAlchemyError):
                # The database is away; what was seen before it went proves nothing.
                self._before = None

    def _look(self, began: float) -> None:
        self.never += [found.sentence for found in self.checker.instant()]
        sight = self.checker.look()
        self.looks += 1
        if self._before is not None:
            self._note(stayed(self._before, sight), began)
            self._close_healed(began)
        self._before = sight

    def _note(self, found: list[Finding], now: float) -> None:
        # Looks are too close to each other to say who is stuck: old work is what tells that here.
        before = self.standing
        self.standing = {one: before.get(one, now) for one in found if one.rule != "stuck"}
        self._write_down(before, now)
        for one, since in self.standing.items():
            if now - since > self.longest_s and one.rule != "host-silent":
                self.longest_s, self.longest = now - since, one.sentence

    def _write_down(self, before: dict[Finding, float], now: float) -> None:
        for one in self.standing.keys() - before.keys():
            if one.rule != "host-silent":
                _LOG.warning("does not agree: %s: %s", one.rule, one.sentence)
        for one in before.keys() - self.standing.keys():
            if one.rule != "host-silent":
                _LOG.warning("agrees again, or otherwise, after %.1f s: %s", now - before[one], one.sentence)

    def _close_healed(self, now: float) -> None:
        """Close the faults after which all daemons have served, when this look found nothing."""
        finding = next((f"{one.rule}: {one.sentence}" for one in self.standing), "")
        with self._guard:
            for fault, since in list(self._open):
                if finding:
                    fault.still = finding
                elif fault.served_at is not None and now >= fault.over:
                    fault.healed_s = round(max(now, fault.served_at) - fault.over, 2)
                    self._open.remove((fault, since))

    def _watch_serving(self) -> None:
        """See when faults are over for those who ask; a look at the whole cloud takes far longer."""
        while not self._stopping.wait(_SERVING_PAUSE_S):
            with self._guard:
                waiting = [one for one in self._open if one[0].served_at is None]
            if not waiting:
                continue
            now, still = time.monotonic(), self._who_does_not_serve()
            for fault, since in waiting:
                if now < fault.over:
                    continue
                try:
                    why = still or self._old_work(since)
                except sa.exc.SQLAlchemyError as error:
                    why = f"the database does not answer: {error}"
                if why:
                    fault.still = why
                else:
                    fault.served_at = now

    def _who_does_not_serve(self) -> str:
        for daemon in self.cloud.daemons:
            if (waits := daemon.readiness()) is not None:
                return f"{daemon.role.name}: {waits}"
        return ""

    def _old_work(self, since: str) -> str:
        """Name a workflow that was begun before a moment and has not ended; empty when there is none."""
        with self.db.engine.connect() as link:
            row = link.execute(_OLDEST, {"moment": since}).mappings().first()
        if row is None:
            return ""
        return (
            f"{row['kind']} {row['action']} of {row['instance_id']} ({row['request_id']}) is {row['state']} "
            f"at step {row['step']}, owner {row['owner']}"
        )


def moment() -> str:
    """Return the present as the database writes times."""
    return Clock().now().isoformat(timespec="microseconds")[:26] + "Z"
