"""``noauth2``: believe what the token says.  For tests and closed benches only."""

from __future__ import annotations

from nova.errors.http import Unauthorized
from nova.identity.principal import Credentials, Principal
from nova.identity.roles import with_implied


class NoAuth:
    """Takes ``user:project`` (or ``user`` alone, then the project is ``admin``) for a token.

    The user ``admin`` is an administrator; ``X-Roles`` names other roles, and without it everybody else is a
    member.  ``X-User-Id`` and ``X-Project-Id`` win over the token's words.
    """

    def authenticate(self, shown: Credentials) -> Principal:
        if not shown.token:
            raise Unauthorized()
        user, _, project = shown.token.partition(":")
        user = shown.claimed_user or user
        project = shown.claimed_project or project or "admin"
        if shown.claimed_roles:
            roles = tuple(role.strip().lower() for role in shown.claimed_roles.split(",") if role.strip())
        else:
            roles = ("admin",) if user == "admin" else ("member",)
        return Principal(
            user_id=user, project_id=project, user_name=user, project_name=project, roles=with_implied(roles)
        )
