"""Vendor data: what the operator's file says and what is asked of the operator's services.

Reading the file and calling the services is the caller's; here is only what they mean.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from nova.guestdata.facts import Facts

USER_AGENT = "openstack-nova-vendordata"


def read_static(content: bytes | None) -> dict[str, Any]:
    """Read the operator's JSON file; anything but an object counts as empty."""
    return _object(content)


def read_answer(content: bytes | None) -> dict[str, Any]:
    """Read what a dynamic service said; anything but an object counts as empty."""
    return _object(content)


def question(facts: Facts, roles: Sequence[str] = ()) -> dict[str, Any]:
    """Return the body that is posted to each dynamic service."""
    guest = facts.md.guest
    return {
        "project-id": guest.project_id,
        "instance-id": guest.id,
        "image-id": guest.image.id if guest.image else None,
        "user-data": guest.user_data,
        "hostname": facts.hostname,
        "metadata": guest.metadata,
        "boot-roles": ",".join(roles),
    }


def parse_targets(targets: Sequence[str]) -> dict[str, str]:
    """Read ``name@url`` entries; a broken one raises ``ValueError`` that names it."""
    found: dict[str, str] = {}
    for target in targets:
        name, at, url = target.strip().partition("@")
        if not (name and at and url):
            raise ValueError(f"a vendor data target is written name@url, not {target!r}")
        if name in found:
            raise ValueError(f"two vendor data targets are called {name!r}")
        found[name] = url
    return found


def _object(content: bytes | None) -> dict[str, Any]:
    if not content:
        return {}
    try:
        read = json.loads(content)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}
