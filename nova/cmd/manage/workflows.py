"""``nova-manage workflow``: what is being done, what was done, trying again, and cancelling."""

from __future__ import annotations

import argparse
from typing import Any

from nova.db import history, jobs, workflows
from nova.db.configured import database
from nova.errors import NotFound
from nova.lifecycle.actions import is_cancellable
from nova.objects.ids import WorkflowId


def register(commands: Any) -> None:
    """Add the group to an ``argparse`` set of commands."""
    group = commands.add_parser("workflow", help="what the conductors work on").add_subparsers(required=True)
    parser = group.add_parser("list", help="list workflows that have not ended")
    parser.set_defaults(run=show_all)
    parser = group.add_parser("show", help="show one workflow with its jobs")
    parser.add_argument("workflow")
    parser.set_defaults(run=show)
    parser = group.add_parser("retry", help="let any conductor take a workflow up now")
    parser.add_argument("workflow")
    parser.set_defaults(run=retry)
    parser = group.add_parser("cancel", help="undo what a running workflow did; its server tells why")
    parser.add_argument("workflow")
    parser.set_defaults(run=cancel)


def show_all(conf: Any, _args: argparse.Namespace) -> int:
    """Print the workflows that have not ended."""
    db = database(conf)
    found = db.read(workflows.running)
    db.close()
    print(f"{'id':36}  {'action':14}  {'instance':36}  {'state':12}  step  since (UTC)")
    for w in found:
        print(
            f"{w.id:36}  {w.action:14}  {w.instance_id:36}  {w.state.value:12}  {w.step:4}  "
            f"{w.started_at:%Y-%m-%d %H:%M:%S}"
        )
    return 0


def show(conf: Any, args: argparse.Namespace) -> int:
    """Print one workflow."""
    db = database(conf)
    wanted = WorkflowId(args.workflow)
    found = db.read(lambda tx: workflows.get_many(tx, [wanted])).get(wanted)
    if found is None:
        raise NotFound(what="Workflow", id=wanted)
    steps = db.read(lambda tx: jobs.of_workflows(tx, [wanted]))
    db.close()
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


def retry(conf: Any, args: argparse.Namespace) -> int:
    """Release a workflow from its owner, so that a conductor takes it up within seconds."""
    db = database(conf)
    freed = db.run(lambda tx: workflows.free(tx, WorkflowId(args.workflow)))
    db.close()
    if not freed:
        print("The workflow has ended or waits for a report; there is nothing to try again.")
        return 1
    print("A conductor will take it up within seconds.")
    return 0


def cancel(conf: Any, args: argparse.Namespace) -> int:
    """Turn a running workflow back; deletes cannot be cancelled."""
    db = database(conf)
    wanted = WorkflowId(args.workflow)
    found = db.read(lambda tx: workflows.get_many(tx, [wanted])).get(wanted)
    if found is None:
        raise NotFound(what="Workflow", id=wanted)
    if not is_cancellable(found.kind):
        print(f"A {found.action} wins over everything and is not cancelled.")
        return 1
    turned = db.run(lambda tx: history.cancel(tx, wanted))
    db.close()
    if turned is None:
        print("The workflow has ended or is being undone already.")
        return 1
    print(f"The {turned.action} of instance {turned.instance_id} is being undone.")
    return 0
