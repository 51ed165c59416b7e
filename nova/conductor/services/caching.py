"""Images brought to hosts ahead of need.

A convenience and no promise: what did not arrive is fetched by the build that needs it, so nothing is written
down and nobody waits.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from nova.conductor.services import aggregates
from nova.conductor.services.services import COMPUTE, is_up
from nova.context import RequestContext
from nova.db import services
from nova.objects.ids import AggregateId, ImageId

if TYPE_CHECKING:
    from nova.conductor.world import World

LOG = logging.getLogger(__name__)


def cache_images(world: World, ctx: RequestContext, aggregate: AggregateId, images: list[ImageId]) -> None:
    """Ask the hosts of an aggregate that are up and enabled to fetch images.

    Raises ``AggregateNotFound`` and ``ImageUnknown``. May be done twice: hosts keep an image once.
    """
    wanted = aggregates.show(world, aggregate)
    known = [world.facts.usable(ctx, image) for image in dict.fromkeys(images)]
    found = world.db.read(lambda tx: services.of_hosts(tx, list(wanted.hosts)))
    fit = {s.host for s in found if s.binary == COMPUTE and not s.disabled and is_up(world, s)}
    for host in wanted.hosts:
        if host not in fit:
            LOG.info("host %s is passed over: it is down or disabled", host)
            continue
        world.compute.host(host).cache_images(ctx, known)
