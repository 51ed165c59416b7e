"""``nova-manage doctor``: what is wrong with this cloud?  Reads only.

The books are compared twice, since work under way may look like a mistake for a moment; a workflow is stuck
when it was not touched, and its owner gave no sign, over the whole wait.
"""

from __future__ import annotations

import argparse
from typing import Any

from nova.clock import Clock
from nova.db import audit, owners, workflows
from nova.db.configured import database
from nova.db.engine import Database
from nova.objects.ids import WorkflowId


def register(commands: Any) -> None:
    """Add the command to an ``argparse`` set of commands."""
    parser = commands.add_parser("doctor", help="compare all books and find work that nobody goes on with")
    parser.add_argument(
        "--wait", type=float, default=None, help="seconds between the two looks (default: two leases)"
    )
    parser.set_defaults(run=doctor)


def doctor(conf: Any, args: argparse.Namespace) -> int:
    """Print what is wrong; 1 when anything is."""
    db = database(conf)
    wait = args.wait if args.wait is not None else 2 * conf.conductor.lease
    first, before = set(db.read(audit.findings)), _ownership(db)
    beats = dict(db.read(owners.all))
    if first or before:
        Clock().sleep(wait)
    found = [finding for finding in db.read(audit.findings) if finding in first]
    for finding in found:
        print(f"{finding.rule}: {finding.sentence}")
    alive = {owner for owner, count in db.read(owners.all) if beats.get(owner) != count}
    after = _ownership(db)
    stuck = [w for w, owner in after.items() if before.get(w) == owner and owner not in alive]
    for workflow in stuck:
        print(f"stuck: Workflow {workflow} has something to do, but no living conductor works on it.")
    db.close()
    print(f"{len(found) + len(stuck)} findings." if found or stuck else "All is well.")
    return 1 if found or stuck else 0


def _ownership(db: Database) -> dict[WorkflowId, str | None]:
    """Return who works on what has something to do."""
    return {
        WorkflowId(w.id): w.owner for w in db.read(workflows.running) if not w.state.value.endswith("waiting")
    }
