"""Servers: the resource ``/servers`` of the Compute API and all that lies below it.

Used by nova-api; imported by ``nova.api.compute.registry`` alone.  A module a subject: handlers, their
operations and, where they are more than a line, their views.  What servers look like is in ``views``, what
may be asked when one is made in ``bodies`` (schemas), ``wish`` and ``mappings`` (meaning).
"""

from __future__ import annotations

from nova.api.compute.servers import (
    actions,
    addresses,
    console,
    create,
    delete,
    diagnostics,
    history,
    interfaces,
    list_query,
    metadata,
    password,
    security_groups,
    show,
    tags,
    topology,
    update,
    volumes,
)

OPERATIONS = (
    *list_query.OPERATIONS,
    *create.OPERATIONS,
    *show.OPERATIONS,
    *update.OPERATIONS,
    *delete.OPERATIONS,
    *actions.OPERATIONS,
    *console.OPERATIONS,
    *security_groups.OPERATIONS,
    *addresses.OPERATIONS,
    *metadata.OPERATIONS,
    *tags.OPERATIONS,
    *history.OPERATIONS,
    *diagnostics.OPERATIONS,
    *interfaces.OPERATIONS,
    *volumes.OPERATIONS,
    *topology.OPERATIONS,
    *password.OPERATIONS,
)
