"""``nova-manage workflow``: what is being done, what was done, trying again, and cancelling."""

from __future__ import annotations

import argparse
from typing import Any

from nova.cmd.manage import shown
from nova.db import history, jobs, workflows
from nova.db.configured import opened
from nova.db.engine import Database, Tx
from nova.db.workflows import WorkflowRow
from nova.errors import NotFound
from nova.errors.operating import WorkflowOver
from nova.lifecycle.actions import is_cancellable
from nova.objects.ids import WorkflowId


def register(commands: Any) -> None:
    """Add the group to an ``argparse`` set of commands."""
    group = commands.add_parser("workflow", help="what the conductors work on").add_subparsers(required=True)
    parser = group.add_parser("list", help="list workflows that have not ended")
    shown.add_json(parser)
    parser.set_defaults(run=show_all)
    parser = group.add_parser("show", help="show one workflow with its jobs")
    shown.add_json(parser)
    parser.add_argument("workflow")
    parser.set_defaults(run=show)
    parser = group.add_parser("retry", help="let any conductor take a workflow up now")
    parser.add_argument("workflow")
    parser.set_defaults(run=retry)
    parser = group.add_parser("cancel", help="undo what a running workflow did; its server tells why")
    parser.add_argument("workflow")
    parser.set_defaults(run=cancel)


def show_all(conf: Any, args: argparse.Namespace) -> int:
    """Print the workflows that have not ended."""
    with opened(conf) as db:
        found = db.read(_all_running)
    shown.show(args, ("id", "action", "instance", "state", "step", "since"), [_row(w) for w in found])
    return 0


def _all_running(tx: Tx) -> list[WorkflowRow]:
    found: list[WorkflowRow] = []
    while page := workflows.running(tx, after_id=found[-1].id if found else ""):
        found += page
    return found


def _row(w: WorkflowRow) -> dict[str, object]:
    return {
        "id": w.id,
        "action": w.action,
        "instance": w.instance_id,
        "state": w.state.value,
        "step": w.step,
        "since": w.started_at,
        "request": w.request_id,
        "attempt": w.attempt,
        "owner": w.owner,
        "message": w.message,
    }


def show(conf: Any, args: argparse.Namespace) -> int:
    """Print one workflow."""
    with opened(conf) as db:
        found = _find(db, args)
        steps = db.read(lambda tx: jobs.of_workflows(tx, [WorkflowId(found.id)]))
    if args.json:
        shown.show(args, (), [{**_row(found), "jobs": [_job(step) for step in steps]}])
        return 0
    print(f"{found.action} of instance {found.instance_id}: {found.state.value}, step {found.step}")
    print(f"request {found.request_id}, attempt {found.attempt}, owner {found.owner or '-'}")
    if found.message:
        print(found.message)
    for job in steps:
        end = f"{job.finished_at:%H:%M:%S}" if job.finished_at else "open"
        print(
            f"  {job.started_at:%H:%M:%S} - {end}  {job.step:12}  {job.host or '-':16}  "
            f"{job.result or ''}  {job.details or ''}"
        )
    return 0


def _find(db: Database, args: argparse.Namespace) -> WorkflowRow:
    wanted = WorkflowId(args.workflow)
    found = db.read(lambda tx: workflows.get_many(tx, [wanted])).get(wanted)
    if found is None:
        raise NotFound(what="Workflow", id=wanted)
    return found


def _job(job: Any) -> dict[str, object]:
    return {
        "step": job.step,
        "host": job.host,
        "started": job.started_at.isoformat(),
        "finished": job.finished_at.isoformat() if job.finished_at else None,
        "result": job.result,
        "details": job.details,
    }


def retry(conf: Any, args: argparse.Namespace) -> int:
    """Release a workflow from its owner, so that a conductor takes it up within seconds."""
    with opened(conf) as db:
        wanted = WorkflowId(_find(db, args).id)
        freed = db.run(lambda tx: workflows.free(tx, wanted))
    if not freed:
        raise WorkflowOver(
            reason="The workflow has ended or waits for a report; there is nothing to try again."
        )
    print("A conductor will take it up within seconds.")
    return 0


def cancel(conf: Any, args: argparse.Namespace) -> int:
    """Turn a running workflow back; deletes cannot be cancelled."""
    with opened(conf) as db:
        found = _find(db, args)
        if not is_cancellable(found.kind):
            raise WorkflowOver(reason=f"A {found.action} wins over everything and is not cancelled.")
        turned = db.run(lambda tx: history.cancel(tx, WorkflowId(found.id)))
    if turned is None:
        raise WorkflowOver(reason="The workflow has ended or is being undone already.")
    print(f"The {turned.action} of instance {turned.instance_id} is being undone.")
    return 0
