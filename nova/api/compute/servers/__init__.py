"""Servers: the resource ``/servers`` of the Compute API and all that lies below it.

Used by nova-api; imported by ``nova.api.compute.registry`` alone.  A module a subject: handlers, their
operations and, where they are more than a line, their views.  What servers look like is in ``views``, what
may be asked when one is made in ``bodies`` (schemas), ``wish`` and ``mappings`` (meaning).
"""

from __future__ import annotations

from nova.api.compute.servers import actions, create, delete, list_query, show, update

OPERATIONS = (
    *list_query.OPERATIONS,
    *create.OPERATIONS,
    *show.OPERATIONS,
    *update.OPERATIONS,
    *delete.OPERATIONS,
    *actions.OPERATIONS,
)
