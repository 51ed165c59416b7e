"""Who may do what: rules with defaults in code, overridden by ``policy.yaml``.

A :class:`Rule` stands beside the operation it guards (``nova/api``); :class:`Policy` (``policy.enforcer``)
answers for a request context and a target.  Imported by the mouths and by nova-manage's sample writer.
"""

from nova.policy.enforcer import Policy, Target
from nova.policy.rules import (
    ADMIN,
    ADMIN_OR_OWNING_USER,
    ANYONE,
    BASE_RULES,
    NOBODY,
    PROJECT_MANAGER_OR_ADMIN,
    PROJECT_MEMBER_OR_ADMIN,
    PROJECT_READER_OR_ADMIN,
    SERVICE_OR_ADMIN,
    Rule,
)

__all__ = [
    "ADMIN",
    "ADMIN_OR_OWNING_USER",
    "ANYONE",
    "BASE_RULES",
    "NOBODY",
    "PROJECT_MANAGER_OR_ADMIN",
    "PROJECT_MEMBER_OR_ADMIN",
    "PROJECT_READER_OR_ADMIN",
    "SERVICE_OR_ADMIN",
    "Policy",
    "Rule",
    "Target",
]
