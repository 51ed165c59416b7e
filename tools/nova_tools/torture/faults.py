"""What can be done to a cloud; each fault returns when it is over: killed, thawed, the server back."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from nova_tools.torture.cloud import Cloud
from nova_tools.torture.daemons import Daemon
from nova_tools.torture.proxy import AFTER, BEFORE
from nova_tools.trouble import Trouble


@dataclass
class Inflicted:
    """A fault that happened."""

    name: str
    target: str
    began: float
    over: float = 0.0
    healed_s: float | None = None
    """From its end until everything held again; none: that was not seen."""
    served_at: float | None = None
    """When all daemons served first after its end, and what had been begun before had ended."""
    still: str = ""
    """Why not everything held at the last look that found so."""


class Faults:
    """The faults of one cloud, drawn from one generator."""

    def __init__(
        self,
        cloud: Cloud,
        chance: random.Random,
        more: Mapping[str, tuple[int, Callable[[], str]]] | None = None,
    ) -> None:
        """``more``: faults of this cloud alone, with their weights."""
        self._cloud = cloud
        self._random = chance
        self._stopping = threading.Event()
        self._deck: list[str] | None = None
        self.deadlocks: Counter[str] = Counter()
        self.shares: dict[str, Counter[str]] = {"killed": Counter(), "frozen": Counter()}
        """How often each daemon was killed or frozen."""
        self._dealt: dict[str, list[Daemon]] = {}
        lease = cloud.form.lease_s
        self._freezes = (1.0, lease * 0.6, lease * 1.7, lease * 2.5)
        self.known: dict[str, tuple[int, Callable[[], str]]] = {
            "kill": (40, self._kill),
            "freeze": (20, self._freeze),
            "kill-two": (6, self._kill_two),
            "broker-restart": (5, lambda: self._broker(kill=False)),
            "broker-kill": (3, lambda: self._broker(kill=True)),
            "queues-deleted": (5, self._queues),
            "database-restart": (4, lambda: self._database(kill=False)),
            "database-kill": (3, lambda: self._database(kill=True)),
            "commits-lost": (8, self._commits),
            "connections-cut": (4, self._cut),
            "deadlocks": (6, self._deadlocks),
            **(more or {}),
        }

    def names(self) -> list[str]:
        """Return the faults that may be chosen."""
        return [name for name in self.known if not self._cloud.form.faults or name in self._cloud.form.faults]

    def choose(self) -> str:
        """Draw the next one: each once, in some order, then by their weights."""
        names = self.names()
        if self._deck is None:
            self._deck = self._random.sample(names, len(names))
        if self._deck:
            return self._deck.pop()
        return self._random.choices(names, [self.known[name][0] for name in names])[0]

    def inflict(self, name: str) -> Inflicted:
        """Do it and wait until it is over."""
        began = time.monotonic()
        target = self.known[name][1]()
        return Inflicted(name, target, began, time.monotonic())

    def stop(self) -> None:
        """Cut short what is going on."""
        self._stopping.set()

    def _next(self, deed: str) -> Daemon:
        """Take the daemons in turn, each once in some order and then anew: each gets its share."""
        dealt = self._dealt.setdefault(deed, [])
        if not dealt:
            dealt += self._random.sample(self._cloud.daemons, len(self._cloud.daemons))
        return dealt.pop()

    def _kill(self) -> str:
        return self._kill_one(self._next("killed"))

    def _kill_one(self, daemon: Daemon) -> str:
        self.shares["killed"][daemon.role.name] += daemon.kill()
        return daemon.role.name

    def _kill_two(self) -> str:
        """Both of a kind, or any two: nobody is left to take over at once."""
        program = self._random.choice(("conductor", "scheduler", "api", "compute"))
        daemons = self._cloud.of(program)
        two = self._random.sample(daemons, min(2, len(daemons)))
        return " ".join([self._kill_one(daemon) for daemon in two])

    def _freeze(self) -> str:
        daemon, seconds = self._next("frozen"), self._random.choice(self._freezes)
        self.shares["frozen"][daemon.role.name] += daemon.freeze()
        self._stopping.wait(seconds)
        daemon.thaw()
        return f"{daemon.role.name} for {seconds:.0f} s"

    def _broker(self, *, kill: bool) -> str:
        """Restart the broker, or one node of several."""
        brokers = self._cloud.backing.brokers
        node = self._random.choice(brokers.nodes)
        brokers.stop_node(node, kill=kill)
        if len(brokers.nodes) > 1:
            # The others serve alone for a while.
            self._stopping.wait(self._random.choice((0.0, 10.0)))
        brokers.start_node(node)
        return node.directory.name

    def _queues(self) -> str:
        try:
            return f"{len(self._cloud.backing.brokers.delete_queues())} queues"
        except (Trouble, OSError) as trouble:
            return f"not all: {trouble}"

    def _database(self, *, kill: bool) -> str:
        backing = self._cloud.backing
        backing.stop_database(kill=kill)
        self._stopping.wait(self._random.choice((0.0, 2.0)))
        backing.start_database()
        return self._cloud.form.database

    def _commits(self) -> str:
        """Lose some of the next answers to COMMIT, within a few seconds."""
        proxy, count = self._cloud.backing.proxy, self._random.randint(1, 4)
        proxy.lose([self._random.choice((AFTER, AFTER, BEFORE)) for _ in range(count)])
        end = time.monotonic() + 5
        while proxy.armed() and time.monotonic() < end and not self._stopping.wait(0.05):
            pass
        lost = count - proxy.armed()
        proxy.disarm()
        return f"{lost} commits"

    def _cut(self) -> str:
        return f"{self._cloud.backing.proxy.cut()} connections"

    def _deadlocks(self) -> str:
        """Compete with the conductors for the rows they change, in other orders than theirs."""
        db, end = self._cloud.database(), time.monotonic() + 3.0
        before = sum(self.deadlocks.values())
        while time.monotonic() < end and not self._stopping.is_set():
            words = list(_LOCKS)
            self._random.shuffle(words)
            link = db.engine.connect()
            try:
                for statement in words[:4]:
                    link.execute(sa.text(statement))
                    time.sleep(0.01)
                link.commit()
                self.deadlocks["competed"] += 1
            except sa.exc.DBAPIError:
                self.deadlocks["lost to the conductors"] += 1
            finally:
                with contextlib.suppress(sa.exc.DBAPIError):
                    link.close()
        db.close()
        return f"{sum(self.deadlocks.values()) - before} competing transactions"


_LOCKS = (
    "UPDATE compute_nodes SET generation = generation + 1",
    "UPDATE workflows SET fence = fence WHERE running = 1",
    "UPDATE instances SET launch_index = launch_index WHERE deleted = 0",
    "UPDATE quota_usages SET instances = instances",
    "UPDATE networks SET label = label",
    "UPDATE jobs SET sends = sends WHERE open = 1",
)
"""Change nothing that matters and lock what conductors change."""
