"""Who uses the cloud: the accounts and their passwords, the ``OS_`` variables of each."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from pathlib import Path

from nova_tools.identity_seed import Account
from nova_tools.trouble import Trouble

_PROJECTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "admin": ("admin", ("admin",)),
    "demo": ("demo", ("member",)),
    "reader": ("demo", ("reader",)),
    "alt_demo": ("alt_demo", ("member",)),
    "nova": ("service", ("admin", "service")),
    "glance": ("service", ("admin", "service")),
}
NAMES = tuple(_PROJECTS)


def standard_accounts(passwords: Mapping[str, str]) -> list[Account]:
    """Return the administrator, a member, a reader, a member of another project, and the services."""
    return [Account(name, passwords[name], *_PROJECTS[name]) for name in NAMES]


def load_passwords(path: Path) -> dict[str, str]:
    """Read the cloud's passwords, drawing those that are missing; only the owner may read the file."""
    known = _read(path) if path.exists() else {}
    missing = [name for name in (*NAMES, "database", "metadata") if name not in known]
    if missing:
        known |= {name: secrets.token_hex(12) for name in missing}
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(known, indent=1))
        fresh.replace(path)
    return known


def _read(path: Path) -> dict[str, str]:
    try:
        found = json.loads(path.read_text())
        return {str(name): str(word) for name, word in found.items()}
    except (ValueError, AttributeError):
        raise Trouble(
            f"{path} is damaged, and only it knew the passwords of this cloud",
            "Run './tools/cloud reset', which forgets this cloud with its servers, and 'up' again",
        ) from None


def variables(name: str, password: str, auth_url: str) -> dict[str, str]:
    """Return the environment the OpenStack clients read to be this user."""
    return {
        "OS_AUTH_URL": auth_url,
        "OS_IDENTITY_API_VERSION": "3",
        "OS_USERNAME": name,
        "OS_PASSWORD": password,
        "OS_PROJECT_NAME": _PROJECTS[name][0],
        "OS_USER_DOMAIN_NAME": "Default",
        "OS_PROJECT_DOMAIN_NAME": "Default",
        "OS_REGION_NAME": "RegionOne",
        "OS_COMPUTE_API_VERSION": "2.latest",
    }
