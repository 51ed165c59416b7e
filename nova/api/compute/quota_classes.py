"""``/os-quota-class-sets``: limits by class; only the class ``default`` has an effect."""

from __future__ import annotations

from typing import Any

from nova.api.compute.quotas import TODAY, as_limits, rendered
from nova.api.wsgi.operation import Operation, Rule
from nova.api.wsgi.request import Request
from nova.api.wsgi.schema_parts import NO_QUERY, QUOTA_LIMIT, body, wrapped
from nova.objects.quota import QuotaSet
from nova.policy import ADMIN

Json = dict[str, Any]

_PATH = "/os-quota-class-sets/{id}"
SHOW = Rule("os_compute_api:os-quota-class-sets:show", ADMIN, "See the limits of a quota class.")
UPDATE = Rule("os_compute_api:os-quota-class-sets:update", ADMIN, "Change the limits of a quota class.")


def show(req: Request, id: str) -> tuple[str, QuotaSet]:
    """Show the limits of a class; what it does not say is as in force by default."""
    return id, req.conductor.show_quota_class(req.ctx, id)


def update(req: Request, id: str) -> QuotaSet:
    """Change the limits of a class."""
    return req.conductor.put_quota_class(req.ctx, id, as_limits(req.body["quota_class_set"]))


def one(_: Request, value: tuple[str, QuotaSet]) -> Json:
    """Render the limits of a class."""
    name, quotas = value
    return {"quota_class_set": {"id": name, **rendered(quotas)}}


def changed(_: Request, quotas: QuotaSet) -> Json:
    """Render limits after a change, without the id."""
    return {"quota_class_set": rendered(quotas)}


OPERATIONS = (
    Operation(
        name="quota_classes.show",
        method="GET",
        path=_PATH,
        handler=show,
        view=one,
        policy=SHOW,
        query=NO_QUERY,
    ),
    Operation(
        name="quota_classes.update",
        method="PUT",
        path=_PATH,
        handler=update,
        view=changed,
        policy=UPDATE,
        body=wrapped("quota_class_set", body(**dict.fromkeys(TODAY, QUOTA_LIMIT))),
    ),
)
