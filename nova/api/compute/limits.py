"""``/limits``: what a project may use, and what it uses."""

from __future__ import annotations

from typing import Any

from nova.api.wsgi.operation import Operation, Rule
from nova.api.wsgi.request import Request
from nova.api.wsgi.schema_parts import STRING, many, query
from nova.objects.ids import ProjectId
from nova.objects.quota import QuotaSet
from nova.policy import ADMIN, ANYONE

LIST = Rule("os_compute_api:limits", ANYONE, "See the limits of one's project.")
OTHER_PROJECT = Rule("os_compute_api:limits:other_project", ADMIN, "See the limits of any project.")

_LIMITS = {
    "maxImageMeta": "metadata_items",
    "maxPersonality": "injected_files",
    "maxPersonalitySize": "injected_file_content_bytes",
    "maxSecurityGroups": "security_groups",
    "maxSecurityGroupRules": "security_group_rules",
    "maxServerMeta": "metadata_items",
    "maxServerGroups": "server_groups",
    "maxServerGroupMembers": "server_group_members",
    "maxTotalCores": "cores",
    "maxTotalFloatingIps": "floating_ips",
    "maxTotalInstances": "instances",
    "maxTotalKeypairs": "key_pairs",
    "maxTotalRAMSize": "ram",
}
_USED = {
    "totalCoresUsed": "cores",
    "totalFloatingIpsUsed": "floating_ips",
    "totalInstancesUsed": "instances",
    "totalRAMUsed": "ram",
    "totalSecurityGroupsUsed": "security_groups",
    "totalServerGroupsUsed": "server_groups",
}


def index(req: Request) -> QuotaSet:
    """Show limits and use of a project."""
    project = req.query.get("tenant_id") or req.ctx.project_id
    if "tenant_id" in req.query:
        req.authorize(target_project_id=project, rule=OTHER_PROJECT)
    return req.conductor.show_quotas(req.ctx, ProjectId(project), None)


def view(_: Request, quotas: QuotaSet) -> dict[str, Any]:
    """Render limits and use; requests are not limited in their rate."""
    absolute = {name: quotas.limits.get(resource, -1) for name, resource in _LIMITS.items()}
    absolute |= {name: quotas.used.get(resource, 0) for name, resource in _USED.items()}
    return {"limits": {"rate": [], "absolute": absolute}}


OPERATIONS = (
    Operation(
        name="limits.index",
        method="GET",
        path="/limits",
        handler=index,
        view=view,
        policy=LIST,
        rules=(OTHER_PROJECT,),
        # "reserved" means nothing, but stock clients send it at every version.
        query=query({"tenant_id": many(STRING), "reserved": many(STRING)}),
    ),
)
