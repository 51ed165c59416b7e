"""What a token proves."""

from __future__ import annotations

from typing import Protocol

import msgspec


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller shows: its token, perhaps a service's token beside it, and what noauth believes."""

    token: str = ""
    service_token: str = ""
    claimed_user: str = ""
    claimed_project: str = ""
    claimed_roles: str = ""
    remote_address: str = ""
    method: str = ""
    path: str = ""
    """What is asked for: application credentials may be limited to some requests."""


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """A proven caller.  ``roles`` are complete (implied ones included) and sorted."""

    user_id: str
    project_id: str
    roles: tuple[str, ...] = ()
    user_name: str = ""
    project_name: str = ""
    user_domain_id: str = ""
    project_domain_id: str = ""
    service_roles: tuple[str, ...] = ()


class Identity(Protocol):
    """Proves callers."""

    def authenticate(self, shown: Credentials) -> Principal:
        """Return who shows these credentials.

        Raises :class:`nova.errors.http.Unauthorized` (with a challenge) or
        :class:`nova.errors.http.IdentityUnavailable`.
        """
        ...
