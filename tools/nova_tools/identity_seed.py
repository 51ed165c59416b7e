"""Who is in the cloud and where its services are: projects, users, roles, the catalogue.

Everything is looked up first, so seeding a cloud again costs little and changes only what differs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nova_tools.api_client import request

_REGION = "RegionOne"
_FACES = ("public", "internal", "admin")


@dataclass(frozen=True)
class Account:
    """A user of the default domain, its password and the roles it has on one project."""

    name: str
    password: str
    project: str
    roles: tuple[str, ...]


@dataclass(frozen=True)
class Service:
    """A service of the catalogue; the same URL serves all three interfaces."""

    type: str
    name: str
    url: str


class Seeder:
    """Brings Keystone to what is wanted, as the administrator."""

    def __init__(self, auth_url: str, token: str) -> None:
        self._url = auth_url
        self._token = token

    def seed(self, accounts: list[Account], services: list[Service]) -> None:
        """Make every project, role, user, assignment, service and endpoint that is missing. Idempotent."""
        roles = {
            name: self._ensure("roles", {"name": name})
            for name in sorted({role for account in accounts for role in account.roles})
        }
        projects = {
            name: self._ensure("projects", {"name": name, "domain_id": "default"})
            for name in sorted({account.project for account in accounts})
        }
        for account in accounts:
            user = self._ensure(
                "users",
                {"name": account.name, "domain_id": "default"},
                {"password": account.password, "default_project_id": projects[account.project]},
            )
            for role in account.roles:
                self._ask("PUT", f"projects/{projects[account.project]}/users/{user}/roles/{roles[role]}")
        for service in services:
            self._seed_service(service)

    def _seed_service(self, service: Service) -> None:
        made = self._ensure("services", {"type": service.type}, {"name": service.name})
        listed = self._ask("GET", f"endpoints?service_id={made}")["endpoints"]
        by_face = {endpoint["interface"]: endpoint for endpoint in listed}
        for face in _FACES:
            facts = {"service_id": made, "interface": face, "region_id": _REGION, "url": service.url}
            if face not in by_face:
                self._ask("POST", "endpoints", {"endpoint": facts})
            elif by_face[face]["url"] != service.url:
                self._ask("PATCH", f"endpoints/{by_face[face]['id']}", {"endpoint": {"url": service.url}})

    def _ensure(self, kind: str, key: dict[str, str], more: dict[str, Any] | None = None) -> str:
        """Return the id of the one thing with this key, made when it is missing."""
        query = "&".join(f"{name}={value}" for name, value in key.items())
        found = self._ask("GET", f"{kind}?{query}")[kind]
        if found:
            return str(found[0]["id"])
        single = kind.removesuffix("s")
        made = self._ask("POST", kind, {single: {**key, **(more or {})}})
        return str(made[single]["id"])

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        return request(method, f"{self._url}/{path}", token=self._token, body=body)
