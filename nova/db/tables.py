"""Every table of the schema, imported in one place: what migrations and tests compare with."""

from __future__ import annotations

from nova.db import (
    aggregates,
    call_answers,
    console_tokens,
    ec2_ids,
    fixed_ips,
    flavors,
    guest_passwords,
    host_feed,
    hosts,
    instances,
    jobs,
    keypairs,
    networks,
    owners,
    quotas,
    security_groups,
    server_groups,
    services,
    tags,
    workflows,
)
from nova.db.schema import metadata

MODULES = (
    aggregates,
    call_answers,
    console_tokens,
    ec2_ids,
    fixed_ips,
    flavors,
    guest_passwords,
    host_feed,
    hosts,
    instances,
    jobs,
    keypairs,
    networks,
    owners,
    quotas,
    security_groups,
    server_groups,
    services,
    tags,
    workflows,
)

__all__ = ["MODULES", "metadata"]
