"""``/os-quota-sets``: the limits of projects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nova.api.wsgi.operation import Operation, Rule
from nova.api.wsgi.request import Request
from nova.api.wsgi.schema_parts import BOOLEAN, QUOTA_LIMIT, STRING, body, many, query, truth, wrapped
from nova.objects.ids import ProjectId, UserId
from nova.objects.quota import QuotaSet
from nova.policy import ADMIN, ANYONE, PROJECT_READER_OR_ADMIN

Json = dict[str, Any]

_NAME = "os_compute_api:os-quota-sets:"
SHOW = Rule(f"{_NAME}show", PROJECT_READER_OR_ADMIN, "See the limits of a project.")
DEFAULTS = Rule(f"{_NAME}defaults", ANYONE, "See the limits of projects without limits of their own.")
DETAIL = Rule(f"{_NAME}detail", PROJECT_READER_OR_ADMIN, "See limits and use of a project.")
UPDATE = Rule(f"{_NAME}update", ADMIN, "Change the limits of a project.")
DELETE = Rule(f"{_NAME}delete", ADMIN, "Drop the limits of a project.")

TODAY = (
    "cores", "instances", "key_pairs", "metadata_items", "ram", "server_group_members", "server_groups",
)  # fmt: skip
RESOURCES = (
    *TODAY, "fixed_ips", "floating_ips", "injected_file_content_bytes", "injected_file_path_bytes",
    "injected_files", "security_group_rules", "security_groups",
)  # fmt: skip
"""What limits there ever were; the history takes out those that a version does not know."""


def show(req: Request, id: str) -> QuotaSet:
    """Show the limits of a project."""
    req.authorize(target_project_id=id)
    return req.conductor.show_quotas(req.ctx, ProjectId(id), req.query.get("user_id"))


def defaults(req: Request, id: str) -> tuple[str, QuotaSet]:
    """Show the limits of projects without limits of their own."""
    return id, req.conductor.default_quotas(req.ctx)


def update(req: Request, id: str) -> QuotaSet:
    """Change the limits of a project, or of one user in it."""
    wish = dict(req.body["quota_set"])
    force = truth(wish.pop("force", False))
    user = req.query.get("user_id")
    if user:
        return req.conductor.put_user_quotas(req.ctx, ProjectId(id), UserId(user), as_limits(wish), force)
    return req.conductor.put_quotas(req.ctx, ProjectId(id), as_limits(wish), force)


def delete(req: Request, id: str) -> None:
    """Drop the limits of a project (it gets the default ones), or those of one user in it."""
    user = req.query.get("user_id")
    if user:
        req.conductor.reset_user_quotas(req.ctx, ProjectId(id), UserId(user))
        return
    req.conductor.reset_quotas(req.ctx, ProjectId(id))


def as_limits(wish: Mapping[str, Any]) -> dict[str, int]:
    """Return wanted limits as numbers, whatever way they were written."""
    return {resource: int(limit) for resource, limit in wish.items()}


def rendered(quotas: QuotaSet) -> Json:
    """Render every limit there ever was."""
    return {resource: quotas.limits.get(resource, -1) for resource in RESOURCES}


def with_id(_: Request, quotas: QuotaSet) -> Json:
    """Render the limits of a project."""
    return {"quota_set": {"id": quotas.project_id, **rendered(quotas)}}


def default_ones(_: Request, value: tuple[str, QuotaSet]) -> Json:
    """Render the default limits under the id that was asked for."""
    project, quotas = value
    return {"quota_set": {"id": project, **rendered(quotas)}}


def changed(_: Request, quotas: QuotaSet) -> Json:
    """Render limits after a change, without the id."""
    return {"quota_set": rendered(quotas)}


def with_use(_: Request, quotas: QuotaSet) -> Json:
    """Render limits with use; nothing is ever reserved."""
    shown: Json = {
        resource: {"limit": limit, "in_use": quotas.used.get(resource, 0), "reserved": 0}
        for resource, limit in rendered(quotas).items()
    }
    return {"quota_set": {"id": quotas.project_id, **shown}}


_OF_USER = query({"user_id": many(STRING)})
_PATH = "/os-quota-sets/{id}"

OPERATIONS = (
    Operation(
        name="quota_sets.show",
        method="GET",
        path=_PATH,
        handler=show,
        view=with_id,
        policy=SHOW,
        own_project=False,
        query=_OF_USER,
    ),
    Operation(
        name="quota_sets.update",
        method="PUT",
        path=_PATH,
        handler=update,
        view=changed,
        policy=UPDATE,
        body=wrapped("quota_set", body(force=BOOLEAN, **dict.fromkeys(TODAY, QUOTA_LIMIT))),
        query=_OF_USER,
    ),
    Operation(
        name="quota_sets.delete",
        method="DELETE",
        path=_PATH,
        handler=delete,
        policy=DELETE,
        success=202,
        query=_OF_USER,
    ),
    Operation(
        name="quota_sets.detail",
        method="GET",
        path=_PATH + "/detail",
        handler=show,
        view=with_use,
        policy=DETAIL,
        own_project=False,
        query=_OF_USER,
    ),
    Operation(
        name="quota_sets.defaults",
        method="GET",
        path=_PATH + "/defaults",
        handler=defaults,
        view=default_ones,
        policy=DEFAULTS,
        query=query(more=True),
    ),
)
