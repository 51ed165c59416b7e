"""``/servers/{id}/os-instance-actions``: what was done to a server."""

from __future__ import annotations

from typing import Any

from nova.api.compute.moments import micros
from nova.api.compute.servers.show import found
from nova.api.compute.servers.views import host_id
from nova.api.wsgi.formats import parse_date_time
from nova.api.wsgi.operation import Operation
from nova.api.wsgi.paging import PageQuery, next_links, page_query
from nova.api.wsgi.request import Request
from nova.api.wsgi.schema_parts import DATE_TIME, NO_QUERY, NON_NEGATIVE, STRING, query, single
from nova.errors.http import InvalidInput
from nova.objects.ids import InstanceId
from nova.objects.workflow import ActionQuery, StepRecord, WorkflowRecord
from nova.policy import ADMIN, PROJECT_READER_OR_ADMIN, Rule

Json = dict[str, Any]
_PATH = "/servers/{server_id}/os-instance-actions"

EVENTS = Rule("os_compute_api:os-instance-actions:events", ADMIN, "See hosts and tracebacks of events.")
DETAILS = Rule("os_compute_api:os-instance-actions:events:details", ADMIN, "See details of events.")


def index(req: Request, server_id: str) -> tuple[list[WorkflowRecord], PageQuery]:
    """List what was done to a server, newest first."""
    _check_alive(req, server_id)
    page = page_query(req)
    since, before = req.query.get("changes-since"), req.query.get("changes-before")
    wanted = ActionQuery(
        limit=page.limit if req.has("actions_paged") else None,
        marker=page.marker,
        changes_since=parse_date_time(since) if since else None,
        changes_before=parse_date_time(before) if before else None,
    )
    if wanted.changes_since and wanted.changes_before and wanted.changes_since > wanted.changes_before:
        raise InvalidInput(reason="The value of changes-since must be less than or equal to changes-before.")
    return req.conductor.list_actions(req.ctx, InstanceId(server_id), wanted), page


def show(req: Request, server_id: str, id: str) -> WorkflowRecord:
    """Show what one request did to a server, step by step."""
    _check_alive(req, server_id)
    return req.conductor.show_action(req.ctx, InstanceId(server_id), id)


def _check_alive(req: Request, server_id: str) -> None:
    """Before 2.21 deleted servers had no history."""
    if not req.has("actions_of_deleted_servers"):
        found(req, server_id)


def action_list(req: Request, value: tuple[list[WorkflowRecord], PageQuery]) -> Json:
    """Render a page of actions."""
    records, page = value
    document: Json = {"instanceActions": [_action(record) for record in records]}
    links = next_links(req, records, page.limit, records[-1].request_id if records else None)
    if links:
        document["links"] = links
    return document


def one_action(req: Request, record: WorkflowRecord) -> Json:
    """Render an action with its events, as far as the caller may see them."""
    document = _action(record)
    trusted = req.may(EVENTS)
    if trusted or req.has("action_events_for_owners"):
        details = req.may(DETAILS)
        document["events"] = [_event(record, step, trusted, details) for step in record.steps]
    return {"instanceAction": document}


def _action(record: WorkflowRecord) -> Json:
    return {
        "action": record.action,
        "instance_uuid": record.instance_id,
        "request_id": record.request_id,
        "user_id": record.user_id,
        "project_id": record.project_id,
        "start_time": micros(record.started_at),
        "updated_at": micros(record.updated_at),
        "message": record.message,
    }


def _event(record: WorkflowRecord, step: StepRecord, trusted: bool, details: bool) -> Json:
    document: Json = {
        "event": step.event,
        "start_time": micros(step.started_at),
        "finish_time": micros(step.finished_at),
        "result": step.result,
        "hostId": host_id(record.project_id, step.host),
    }
    if trusted:
        document["host"] = step.host or ""
        document["traceback"] = step.traceback
    if details:
        document["details"] = step.details
    return document


OPERATIONS = (
    Operation(
        name="instance_actions.index",
        method="GET",
        path=_PATH,
        handler=index,
        view=action_list,
        policy=Rule(
            "os_compute_api:os-instance-actions:list",
            PROJECT_READER_OR_ADMIN,
            "List what was done to a server.",
        ),
        query=query(
            {
                "limit": single(NON_NEGATIVE),
                "marker": single(STRING),
                "changes-since": single(DATE_TIME),
                "changes-before": single(DATE_TIME),
            }
        ),
    ),
    Operation(
        name="instance_actions.show",
        method="GET",
        path=_PATH + "/{id}",
        handler=show,
        view=one_action,
        policy=Rule(
            "os_compute_api:os-instance-actions:show",
            PROJECT_READER_OR_ADMIN,
            "Show what a request did to a server.",
        ),
        query=NO_QUERY,
        rules=(EVENTS, DETAILS),
    ),
)
