"""Finding instances for a caller: the own project's, or anybody's for an administrator."""

from __future__ import annotations

from nova.context import RequestContext
from nova.db import instances
from nova.db.engine import Tx
from nova.errors.servers import InstanceNotFound
from nova.objects.ids import InstanceId
from nova.objects.instance import Instance


def living(tx: Tx, ctx: RequestContext, instance_id: InstanceId) -> Instance:
    """Return an instance that is not deleted; raises InstanceNotFound."""
    found = any_instance(tx, ctx, instance_id)
    if found.is_deleted:
        raise InstanceNotFound(id=instance_id)
    return found


def any_instance(tx: Tx, ctx: RequestContext, instance_id: InstanceId) -> Instance:
    """Return an instance, deleted or not; raises InstanceNotFound."""
    found = instances.get(tx, instance_id)
    if found is None or not may_see(ctx, found):
        raise InstanceNotFound(id=instance_id)
    return found


def may_see(ctx: RequestContext, instance: Instance) -> bool:
    """Tell whether there is such an instance for this caller."""
    return ctx.is_admin or instance.project_id == ctx.project_id
