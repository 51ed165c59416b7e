"""Looks at a cloud twice and believes what stays: work under way may look like a mistake for a moment."""

from __future__ import annotations

import msgspec

from nova.audit.hosts import Agents
from nova.clock import Clock
from nova.db import audit, owners, workflows
from nova.db.engine import Database
from nova.db.findings import Finding
from nova.objects.ids import WorkflowId

PAGE = 1000


class Sight(msgspec.Struct, frozen=True):
    """What one look saw."""

    findings: tuple[Finding, ...]
    holders: dict[WorkflowId, tuple[str | None, int]]
    """Who works, under which fence, on what has something to do."""
    beats: dict[str, int]


class Checker:
    """Checks one cloud.  ``agents`` none: the books alone, hosts are not asked."""

    def __init__(self, db: Database, clock: Clock, *, lease_s: float, agents: Agents | None = None) -> None:
        self._db = db
        self._clock = clock
        self._agents = agents
        self.wait_s = 2 * lease_s
        """The least time between two looks after which standing still is no chance."""

    def look(self) -> Sight:
        """See what does not agree at this moment."""
        found = self._db.read(audit.findings)
        if self._agents is not None:
            found += self._agents.findings(self._db)
        return Sight(tuple(found), self._holders(), dict(self._db.read(owners.all)))

    def instant(self) -> list[Finding]:
        """Return what must not be so even for a moment; cheap enough to be asked all the time."""
        return self._db.read(audit.at_any_instant)

    def judge(self, wait_s: float | None = None) -> list[Finding]:
        """Look twice, ``wait_s`` (none: two leases) apart, and return what is wrong.

        A workflow is stuck when it was not touched, and its owner gave no sign, over the whole wait.
        """
        first = self.look()
        if not first.findings and not first.holders:
            return []
        self._clock.sleep(self.wait_s if wait_s is None else wait_s)
        return stayed(first, self.look())

    def _holders(self) -> dict[WorkflowId, tuple[str | None, int]]:
        found: dict[WorkflowId, tuple[str | None, int]] = {}
        after = ""
        while True:
            page = self._db.read(lambda tx, after=after: workflows.running(tx, PAGE, after))  # type: ignore[misc]
            found |= {
                WorkflowId(row.id): (row.owner, row.fence)
                for row in page
                if not row.state.value.endswith("waiting")
            }
            if len(page) < PAGE:
                return found
            after = page[-1].id


def stayed(first: Sight, second: Sight) -> list[Finding]:
    """Return what both looks saw, and the work that nobody alive went on with in between."""
    before = frozenset(first.findings)
    found = [finding for finding in second.findings if finding in before]
    alive = {owner for owner, count in second.beats.items() if first.beats.get(owner) != count}
    for workflow, holder in second.holders.items():
        if first.holders.get(workflow) == holder and holder[0] not in alive:
            words = f"Workflow {workflow} has something to do, but no living conductor works on it."
            found.append(Finding(rule="stuck", subject=workflow, sentence=words))
    return found
