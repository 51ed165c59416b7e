"""``/os-simple-tenant-usage``: what projects used in a period."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from nova.api.compute.moments import micros
from nova.api.wsgi.operation import Operation, Rule
from nova.api.wsgi.paging import next_links, page_query
from nova.api.wsgi.request import Request
from nova.api.wsgi.schema_parts import NON_NEGATIVE, STRING, many, query
from nova.errors.database import MarkerNotFound
from nova.errors.http import InvalidInput
from nova.objects.ids import ProjectId
from nova.objects.instance import Instance, InstanceQuery
from nova.policy import ADMIN, PROJECT_READER_OR_ADMIN

Json = dict[str, Any]

LIST = Rule("os_compute_api:os-simple-tenant-usage:list", ADMIN, "See what all projects used.")
SHOW = Rule("os_compute_api:os-simple-tenant-usage:show", PROJECT_READER_OR_ADMIN, "See what a project used.")

_FORMATS = ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%d %H:%M:%S.%f")
_STEP = 1000
"""How many instances are asked for at once."""


class Period(NamedTuple):
    """A span of time, in UTC."""

    start: datetime.datetime
    stop: datetime.datetime
    now: datetime.datetime


class Usage(NamedTuple):
    """What was used in a period, as far as it is on this page."""

    period: Period
    instances: Sequence[Instance]
    detailed: bool
    limit: int | None
    """Length of a page, where there are pages."""


def index(req: Request) -> Usage:
    """Show what all projects used."""
    return _usage(req, None, detailed=req.query.get("detailed") == "1")


def show(req: Request, id: str) -> Usage:
    """Show what a project used, server by server."""
    req.authorize(target_project_id=id)
    return _usage(req, ProjectId(id), detailed=True)


def _usage(req: Request, project: ProjectId | None, *, detailed: bool) -> Usage:
    period = _period(req)
    found = [one for one in _instances(req, period, project) if _overlap(one, period) is not None]
    found.sort(key=lambda one: (one.launched_at or one.created_at, one.id))
    if not req.has("usage_paged"):
        return Usage(period, found, detailed, None)
    page = page_query(req)
    start = 0
    if page.marker is not None:
        places = [place for place, one in enumerate(found) if one.id == page.marker]
        if not places:
            raise MarkerNotFound(marker=page.marker)
        start = places[0] + 1
    return Usage(period, found[start : start + page.limit], detailed, page.limit)


def _instances(req: Request, period: Period, project: ProjectId | None) -> Iterator[Instance]:
    """Yield the instances of today, and those deleted since the period began."""
    everybody = project is None or project != req.ctx.project_id
    today = InstanceQuery(
        all_projects=everybody,
        project_id=project if everybody else None,
        soft_deleted=False,
        sort=(("created_at", "asc"),),
        limit=_STEP,
    )
    gone = msgspec.structs.replace(today, deleted=True, changes_since=period.start)
    for wanted in (today, gone):
        while True:
            page = req.conductor.list_instances(req.ctx, wanted)
            yield from page.instances
            if not page.more or not page.instances:
                break
            wanted = msgspec.structs.replace(wanted, marker=page.instances[-1].id)


def _period(req: Request) -> Period:
    """Return the period asked for; without a word it is this moment, with a start alone it ends now."""
    now = req.clock.now()
    asked = req.query.get("start"), req.query.get("end")
    start, stop = _moment(asked[0], now), _moment(asked[1], now)
    if start >= stop and any(asked):
        raise InvalidInput(reason="Invalid start time. The start time cannot occur after the end time.")
    return Period(start, stop, now)


def _moment(text: str | None, now: datetime.datetime) -> datetime.datetime:
    if not text:
        return now
    for form in _FORMATS:
        try:
            return datetime.datetime.strptime(text, form).replace(tzinfo=datetime.UTC)
        except ValueError:
            continue
    raise InvalidInput(reason=f"Datetime is in invalid format: {text}")


def _end(instance: Instance) -> datetime.datetime | None:
    return instance.terminated_at or instance.deleted_at


def _overlap(instance: Instance, period: Period) -> float | None:
    """Return the hours that an instance ran within a period; none if it did not run in it at all."""
    started, ended = instance.launched_at, _end(instance)
    if started is None or started > period.stop or (ended is not None and ended < period.start):
        return None
    first, last = max(started, period.start), min(ended or period.stop, period.stop)
    return max((last - first).total_seconds(), 0.0) / 3600


def _server(instance: Instance, period: Period) -> Json:
    started, ended = instance.launched_at or instance.created_at, _end(instance)
    flavor = instance.flavor
    return {
        "instance_id": instance.id,
        "name": instance.display_name,
        "tenant_id": instance.project_id,
        "flavor": flavor.name,
        "vcpus": flavor.vcpus,
        "memory_mb": flavor.ram_mb,
        "local_gb": flavor.root_gb + flavor.ephemeral_gb,
        "hours": _overlap(instance, period) or 0.0,
        "started_at": micros(started),
        "ended_at": micros(ended),
        "state": "terminated" if ended is not None else str(instance.vm_state),
        "uptime": int(((ended or period.now) - started).total_seconds()),
    }


def _projects(usage: Usage) -> list[Json]:
    """Return the sums of each project."""
    sums: dict[str, Json] = {}
    for instance in usage.instances:
        server = _server(instance, usage.period)
        total = sums.setdefault(
            instance.project_id,
            {
                "tenant_id": instance.project_id,
                "start": micros(usage.period.start),
                "stop": micros(usage.period.stop),
                "total_hours": 0.0,
                "total_vcpus_usage": 0.0,
                "total_memory_mb_usage": 0.0,
                "total_local_gb_usage": 0.0,
                **({"server_usages": []} if usage.detailed else {}),
            },
        )
        total["total_hours"] += server["hours"]
        for unit in ("vcpus", "memory_mb", "local_gb"):
            total[f"total_{unit}_usage"] += server[unit] * server["hours"]
        if usage.detailed:
            total["server_usages"].append(server)
    return list(sums.values())


def _with_links(req: Request, document: Json, key: str, usage: Usage) -> Json:
    if usage.limit is not None and usage.instances:
        links = next_links(req, usage.instances, usage.limit, usage.instances[-1].id)
        if links:
            document[key] = links
    return document


def all_projects(req: Request, usage: Usage) -> Json:
    """Render what all projects used."""
    return _with_links(req, {"tenant_usages": _projects(usage)}, "tenant_usages_links", usage)


def one_project(req: Request, usage: Usage) -> Json:
    """Render what a project used; an empty object when it had no servers."""
    projects = _projects(usage)
    document: Json = {"tenant_usage": projects[0] if projects else {}}
    return _with_links(req, document, "tenant_usage_links", usage)


_ONE = {"start": many(STRING), "end": many(STRING), "limit": many(NON_NEGATIVE), "marker": many(STRING)}

OPERATIONS = (
    Operation(
        name="simple_tenant_usage.index",
        method="GET",
        path="/os-simple-tenant-usage",
        handler=index,
        view=all_projects,
        policy=LIST,
        query=query({**_ONE, "detailed": many(STRING)}),
    ),
    Operation(
        name="simple_tenant_usage.show",
        method="GET",
        path="/os-simple-tenant-usage/{id}",
        handler=show,
        view=one_project,
        policy=SHOW,
        own_project=False,
        query=query(_ONE),
    ),
)
