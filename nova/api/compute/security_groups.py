"""``/os-security-groups`` and ``/os-security-group-rules`` (until 2.35): who may reach servers."""

from __future__ import annotations

from typing import Any

from nova import ids
from nova.api.wsgi.formats import canonical_uuid, is_cidr, is_uuid
from nova.api.wsgi.operation import Operation, Rule
from nova.api.wsgi.paging import offset_query
from nova.api.wsgi.request import Request
from nova.api.wsgi.schema_parts import ANYTHING, NON_NEGATIVE, STRING, UUID, many, query, text
from nova.errors.admin import SecurityGroupNotFound
from nova.errors.http import InvalidInput
from nova.objects.network import SecurityGroup, SecurityRule
from nova.policy import PROJECT_MEMBER_OR_ADMIN, PROJECT_READER_OR_ADMIN

Json = dict[str, Any]


def _reads(verb: str, description: str) -> Rule:
    return Rule(f"os_compute_api:os-security-groups:{verb}", PROJECT_READER_OR_ADMIN, description)


def _writes(verb: str, description: str) -> Rule:
    return Rule(f"os_compute_api:os-security-groups:{verb}", PROJECT_MEMBER_OR_ADMIN, description)


LIST = _reads("get", "List security groups.")
SHOW = _reads("show", "Show a security group.")
CREATE = _writes("create", "Make a security group.")
UPDATE = _writes("update", "Rename a security group.")
DELETE = _writes("delete", "Drop a security group.")
ADD_RULE = _writes("rule:create", "Add a rule to a security group.")
DROP_RULE = _writes("rule:delete", "Drop a rule of a security group.")

_PROTOCOLS = ("tcp", "udp", "icmp")
_HIGHEST_PORT = 65535
_HIGHEST_ICMP = 255


def _uuid(id: str) -> str:
    if not is_uuid(id):
        raise InvalidInput(reason="Security group id should be uuid")
    return canonical_uuid(id)


def index(req: Request) -> list[SecurityGroup]:
    """List security groups."""
    everywhere = "all_tenants" in req.query and req.ctx.is_admin
    limit, offset = offset_query(req)
    groups = req.conductor.list_security_groups(req.ctx, everywhere)
    groups = sorted(groups, key=lambda group: (group.project_id, group.name))
    return groups[offset : offset + limit]


def show(req: Request, id: str) -> SecurityGroup:
    """Show a security group."""
    if not is_uuid(id):
        # Clients try a name here first, and look for it in the list only after a 404.
        raise SecurityGroupNotFound(id=id)
    return req.conductor.show_security_group(req.ctx, canonical_uuid(id))


def create(req: Request) -> SecurityGroup:
    """Make a security group."""
    name, description = _words(req)
    return req.conductor.create_security_group(req.ctx, name, description)


def update(req: Request, id: str) -> SecurityGroup:
    """Rename a security group."""
    name, description = _words(req)
    return req.conductor.update_security_group(req.ctx, _uuid(id), name, description)


def _words(req: Request) -> tuple[str, str]:
    """Return name and description; raise 400 for an empty name."""
    wish = req.body["security_group"]
    name, description = wish["name"].strip(), wish["description"].strip()
    if not name:
        raise InvalidInput(reason="Security group name cannot be empty.")
    return name, description


def delete(req: Request, id: str) -> None:
    """Drop a security group that nobody uses."""
    req.conductor.delete_security_group(req.ctx, _uuid(id))


def create_rule(req: Request) -> tuple[str, SecurityRule]:
    """Add an allowance to a security group."""
    wish = req.body["security_group_rule"]
    parent = canonical_uuid(wish["parent_group_id"])
    rule = _rule_of(wish)
    return parent, req.conductor.add_security_rule(req.ctx, parent, rule)


def delete_rule(req: Request, id: str) -> None:
    """Take an allowance back."""
    req.conductor.delete_security_rule(req.ctx, _uuid(id))


def _rule_of(wish: Json) -> SecurityRule:
    """Return the rule that is asked for; raise 400 if it makes no sense."""
    source = wish.get("group_id")
    cidr = None if source else str(wish.get("cidr") or "0.0.0.0/0")
    if cidr is not None:
        cidr = cidr if "/" in cidr else f"{cidr}/{128 if ':' in cidr else 32}"
        if not is_cidr(cidr):
            raise InvalidInput(reason=f"Invalid cidr {cidr}")
    protocol = str(wish["ip_protocol"]).lower() if wish.get("ip_protocol") else None
    first, last = _port(wish.get("from_port")), _port(wish.get("to_port"))
    if protocol is None and not source:
        raise InvalidInput(reason="Not enough parameters to build a valid rule.")
    if protocol is not None and protocol not in _PROTOCOLS:
        raise InvalidInput(reason=f"Invalid IP protocol {protocol}")
    if protocol is not None:
        _check_ports(protocol, first, last, whole_group=bool(source))
    return SecurityRule(
        id=ids.new_uuid(),
        protocol=protocol,
        from_port=first,
        to_port=last,
        cidr=cidr,
        source_group_id=canonical_uuid(source) if source else None,
    )


def _port(value: Any) -> int | None:
    if value is None or value == "":
        return None
    try:
        return int(value)
    except (TypeError, ValueError):
        raise InvalidInput(reason=f"Invalid port {value}: it must be an integer") from None


def _check_ports(protocol: str, first: int | None, last: int | None, *, whole_group: bool) -> None:
    if first is None and last is None and whole_group:
        return
    if first is None or last is None:
        raise InvalidInput(reason="Both from_port and to_port are needed.")
    if protocol == "icmp":
        fits = -1 <= first <= _HIGHEST_ICMP and -1 <= last <= _HIGHEST_ICMP
    else:
        fits = 1 <= first <= last <= _HIGHEST_PORT
    if not fits:
        raise InvalidInput(reason=f"Invalid port range {first}:{last} for {protocol}")


def rule_entry(parent: str, rule: SecurityRule) -> Json:
    """Render a rule; it allows either a range of addresses or the members of a group."""
    group: Json = {}
    if rule.source_group_id is not None:
        group = {"name": rule.source_group_name or "", "tenant_id": rule.source_project_id or ""}
    every = -1 if rule.protocol == "icmp" else None
    return {
        "id": rule.id,
        "parent_group_id": parent,
        "ip_protocol": rule.protocol,
        "from_port": every if rule.from_port is None else rule.from_port,
        "to_port": every if rule.to_port is None else rule.to_port,
        "group": group,
        "ip_range": {"cidr": rule.cidr} if rule.cidr is not None else {},
    }


def entry(group: SecurityGroup) -> Json:
    """Render a security group with its rules."""
    return {
        "id": group.id,
        "name": group.name,
        "description": group.description,
        "tenant_id": group.project_id,
        "rules": [rule_entry(group.id, rule) for rule in group.rules],
    }


def listed(_: Request, groups: list[SecurityGroup]) -> Json:
    """Render a list of security groups."""
    return {"security_groups": [entry(group) for group in groups]}


def one(_: Request, group: SecurityGroup) -> Json:
    """Render one security group."""
    return {"security_group": entry(group)}


def one_rule(_: Request, value: tuple[str, SecurityRule]) -> Json:
    """Render a rule just made."""
    return {"security_group_rule": rule_entry(*value)}


def _open(properties: Json, *required: str) -> Json:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": True,
    }


_GROUP = _open(
    {"security_group": _open({"name": text(255), "description": text(255)}, "name", "description")},
    "security_group",
)
_RULE = _open(
    {
        "security_group_rule": _open(
            {
                "parent_group_id": UUID,
                "group_id": {"type": ["string", "null"], "format": "uuid"},
                "ip_protocol": ANYTHING,
                "from_port": ANYTHING,
                "to_port": ANYTHING,
                "cidr": ANYTHING,
            },
            "parent_group_id",
        )
    },
    "security_group_rule",
)
_LIST = query(
    {"all_tenants": many(STRING), "limit": many(NON_NEGATIVE), "offset": many(NON_NEGATIVE)}, more=True
)
_PATH = "/os-security-groups"
_ONE = "/os-security-groups/{id}"
_RULES = "/os-security-group-rules"

OPERATIONS = (
    Operation(
        name="security_groups.index",
        method="GET",
        path=_PATH,
        handler=index,
        view=listed,
        policy=LIST,
        query=_LIST,
    ),
    Operation(
        name="security_groups.create",
        method="POST",
        path=_PATH,
        handler=create,
        view=one,
        policy=CREATE,
        body=_GROUP,
    ),
    Operation(
        name="security_groups.show",
        method="GET",
        path=_ONE,
        handler=show,
        view=one,
        policy=SHOW,
        query=query(more=True),
    ),
    Operation(
        name="security_groups.update",
        method="PUT",
        path=_ONE,
        handler=update,
        view=one,
        policy=UPDATE,
        body=_GROUP,
    ),
    Operation(
        name="security_groups.delete",
        method="DELETE",
        path=_ONE,
        handler=delete,
        policy=DELETE,
        success=202,
    ),
    Operation(
        name="security_groups.rule.create",
        method="POST",
        path=_RULES,
        handler=create_rule,
        view=one_rule,
        policy=ADD_RULE,
        body=_RULE,
    ),
    Operation(
        name="security_groups.rule.delete",
        method="DELETE",
        path=_RULES + "/{id}",
        handler=delete_rule,
        policy=DROP_RULE,
        success=202,
    ),
)
