"""Which roles bring others along."""

from __future__ import annotations

IMPLIED_ROLES: dict[str, tuple[str, ...]] = {
    "admin": ("manager", "member", "reader"),
    "manager": ("member", "reader"),
    "member": ("reader",),
}
"""What a role brings along, for identity sources that do not list implied roles themselves."""


def with_implied(roles: tuple[str, ...]) -> tuple[str, ...]:
    """Return roles with the ones they imply, sorted, each once."""
    found = set(roles)
    for role in roles:
        found.update(IMPLIED_ROLES.get(role, ()))
    return tuple(sorted(found))
