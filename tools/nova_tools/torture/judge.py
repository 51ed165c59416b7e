"""After the load: has every accepted request ended as asked, or with a fault that says why, and once?"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from nova.db import instances
from nova.db.engine import Database
from nova.db.schema import moment_of
from nova.db.workflows import REFUSAL
from nova.objects.ids import InstanceId
from nova.objects.instance import Instance
from nova.objects.states import Vm
from nova_tools.torture import ledger as words
from nova_tools.torture.answers import denies, judge_answer
from nova_tools.torture.ledger import Entry, Ledger, Server, spread
from nova_tools.torture.violation import Violation
from nova_tools.torture.windows import Windows

_STATES = {
    "ACTIVE": Vm.ACTIVE, "SHUTOFF": Vm.STOPPED, "PAUSED": Vm.PAUSED, "SUSPENDED": Vm.SUSPENDED,
    "DELETED": Vm.DELETED,
}  # fmt: skip
_RECORDED = frozenset(
    {
        "create", "delete", "stop", "start", "reboot-soft", "reboot-hard", "pause", "unpause", "suspend",
        "resume", "snapshot", "lock",
    }
)  # fmt: skip
_WORK = sa.text(
    "SELECT instance_id, request_id, kind, action, state, message, running, started_at, finished_at, fault "
    "FROM (SELECT w.*, (SELECT i.fault FROM instances i WHERE i.id = w.instance_id) AS fault "
    f"FROM workflows w WHERE w.kind <> '{REFUSAL}') x"
)
_NAMED = sa.text("SELECT display_name, count(*) FROM instances GROUP BY display_name")


class Judge:
    """Compares the ledger with the truth."""

    def __init__(self, db: Database, ledger: Ledger, windows: Windows) -> None:
        """``windows``: when faults could be felt."""
        self._ledger = ledger
        self._windows = windows
        with db.engine.connect() as link:
            self._work = [dict(row._mapping) for row in link.execute(_WORK)]
            self._named: dict[str, int] = {row[0]: row[1] for row in link.execute(_NAMED)}
        self._by_request: dict[str, list[dict[str, Any]]] = {}
        for row in self._work:
            self._by_request.setdefault(row["request_id"], []).append(row)
        wanted = [InstanceId(i) for i in ledger.servers]
        self._instances: dict[InstanceId, Instance] = {}
        for start in range(0, len(wanted), 500):
            look = functools.partial(instances.get_many, ids=wanted[start : start + 500])
            found = db.read(look)
            self._instances.update(found)

    def violations(self) -> list[Violation]:
        """Return every broken promise."""
        found = [Violation("seen by a client", sentence) for sentence in self._ledger.troubles]
        for entry in self._ledger.entries:
            found += self._of_entry(entry)
        for server in self._ledger.servers.values():
            found += self._of_server(server)
        return found

    def lasted(self) -> dict[str, float]:
        """Return how long workflows took from beginning to end: median, p99, longest; seconds."""
        return spread(
            (_seconds(row["finished_at"]) - _seconds(row["started_at"]))
            for row in self._work
            if row["finished_at"]
        )

    def ended(self) -> dict[str, int]:
        """Count how workflows ended."""
        found: dict[str, int] = {}
        for row in self._work:
            found[row["state"]] = found.get(row["state"], 0) + 1
        return found

    def _of_entry(self, entry: Entry) -> Iterator[Violation]:
        yield from judge_answer(entry, self._windows)
        if denies(entry) and entry.request_id in self._by_request:
            told = f"{entry.words()} was answered {entry.status}, but it was done: {entry.told}"
            yield Violation("refused means not done", told)
        if entry.kind == "create":
            yield from self._of_create(entry)
        if entry.outcome == words.ACCEPTED and entry.kind in _RECORDED:
            yield from self._of_record(entry)

    def _of_create(self, entry: Entry) -> Iterator[Violation]:
        names = [entry.tag] if entry.count == 1 else [f"{entry.tag}-{n}" for n in range(1, entry.count + 1)]
        made = sum(self._named.get(name, 0) for name in names)
        right: tuple[int, ...] = (0, entry.count)
        if entry.outcome == words.ACCEPTED:
            right = (entry.count,)
        elif denies(entry):
            right = (0,)
        if made not in right:
            told = f"{entry.outcome} create {entry.tag} of {entry.count} ({entry.request_id})"
            yield Violation("one create, one server", f"{told} made {made} servers")

    def _of_record(self, entry: Entry) -> Iterator[Violation]:
        rows = self._by_request.get(entry.request_id, [])
        if entry.server is not None:
            rows = [row for row in rows if row["instance_id"] == entry.server]
        told = entry.words()
        if len(rows) != entry.count:
            gone = entry.kind == "delete" and self._deleted_before(entry)
            if not gone:
                yield Violation("accepted means durable", f"{told} has {len(rows)} records")
        for row in rows:
            if row["running"]:
                yield Violation("nothing stuck", f"{told} is still {row['state']}")
            elif row["state"] != "done" and not (row["message"] or row["fault"]):
                yield Violation("a fault that says why", f"{told} ended as {row['state']} without a word")

    def _deleted_before(self, entry: Entry) -> bool:
        """A delete of what is being deleted adds nothing to what the first one began."""
        return any(
            row["kind"] == "delete" and row["instance_id"] == entry.server and row["state"] == "done"
            for row in self._work
        )

    def _of_server(self, server: Server) -> Iterator[Violation]:
        instance = self._instances.get(InstanceId(server.id))
        if instance is None:
            yield Violation("accepted means durable", f"server {server.id} ({server.name}) is not there")
            return
        if instance.vm_state is Vm.ERROR:
            if instance.fault is None:
                yield Violation("a fault that says why", f"server {server.id} is in ERROR without a fault")
        elif not (server.doubted() or self._is_as_expected(server, instance) or self._failed_well(server)):
            asked = server.last.kind if server.last else "nothing"
            told = f"server {server.id} is {instance.vm_state}, not {server.expected}, after {asked}"
            yield Violation("ended as asked", told)
        if instance.is_deleted:
            return
        for key, values in server.metadata.items():
            if instance.metadata.get(key, "") not in values:
                real = instance.metadata.get(key)
                told = f"server {server.id}: metadata {key} is {real!r}, not one of {values}"
                yield Violation("accepted means durable", told)
        yield from self._of_tags(server, instance)

    @staticmethod
    def _is_as_expected(server: Server, instance: Instance) -> bool:
        return server.expected is None or instance.vm_state is _STATES[server.expected]

    def _of_tags(self, server: Server, instance: Instance) -> Iterator[Violation]:
        for tag, wanted in server.tags.items():
            if wanted is not None and (tag in instance.tags) is not wanted:
                told = f"server {server.id}: tag {tag} is {'not ' if wanted else ''}there"
                yield Violation("accepted means durable", told)

    def _failed_well(self, server: Server) -> bool:
        """Tell whether the last action says itself that it did not end as asked."""
        if server.last is None:
            return True
        rows = [r for r in self._by_request.get(server.last.request_id, []) if r["instance_id"] == server.id]
        return any(row["state"] != "done" and row["message"] for row in rows)


def _seconds(stored: str) -> float:
    return moment_of(stored).timestamp()
