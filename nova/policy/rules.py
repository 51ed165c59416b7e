"""The vocabulary of policy: roles as named rules, and what a rule is."""

from __future__ import annotations

import msgspec

ADMIN = "rule:context_is_admin"
PROJECT_MANAGER_OR_ADMIN = "rule:project_manager_or_admin"
PROJECT_MEMBER_OR_ADMIN = "rule:project_member_or_admin"
PROJECT_READER_OR_ADMIN = "rule:project_reader_or_admin"
SERVICE_OR_ADMIN = "rule:service_or_admin"
ADMIN_OR_OWNING_USER = "(rule:context_is_admin) or user_id:%(user_id)s"
ANYONE = "@"
NOBODY = "!"

_OLD_OWNER = "rule:admin_or_owner"
_OLD_ADMIN = "rule:admin_api"
_OLD_DEFAULTS = {
    ADMIN: _OLD_ADMIN,
    PROJECT_MANAGER_OR_ADMIN: _OLD_ADMIN,
    PROJECT_MEMBER_OR_ADMIN: _OLD_OWNER,
    PROJECT_READER_OR_ADMIN: _OLD_OWNER,
    SERVICE_OR_ADMIN: _OLD_ADMIN,
}


class Rule(msgspec.Struct, frozen=True):
    """A policy rule: its public name, who may by default (oslo.policy's language), and what it guards."""

    name: str
    check: str
    description: str = ""
    operations: tuple[tuple[str, str], ...] = ()
    """(method, path) pairs; filled from the operations when the sample is written."""

    @property
    def old_check(self) -> str | None:
        """Return the default of the years before the reader role, if it was another one."""
        return _OLD_DEFAULTS.get(self.check)


BASE_RULES: tuple[Rule, ...] = (
    Rule("context_is_admin", "role:admin", "Decides who is an administrator."),
    Rule("admin_or_owner", "is_admin:True or project_id:%(project_id)s", "Old default for users."),
    Rule("admin_api", "is_admin:True", "Old default for administrators."),
    Rule("project_manager_api", "role:manager and project_id:%(project_id)s", "Project managers."),
    Rule("project_member_api", "role:member and project_id:%(project_id)s", "Project members."),
    Rule("project_reader_api", "role:reader and project_id:%(project_id)s", "Project readers."),
    Rule(
        "project_manager_or_admin",
        "rule:project_manager_api or rule:context_is_admin",
        "Project managers and administrators.",
    ),
    Rule(
        "project_member_or_admin",
        "rule:project_member_api or rule:context_is_admin",
        "Project members and administrators.",
    ),
    Rule(
        "project_reader_or_admin",
        "rule:project_reader_api or rule:context_is_admin",
        "Project readers and administrators.",
    ),
    Rule("service_api", "role:service", "Other services of the cloud."),
    Rule(
        "service_or_admin", "rule:service_api or rule:context_is_admin", "Other services and administrators."
    ),
)
