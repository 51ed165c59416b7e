"""The OpenStack-style tree: ``/openstack/<version>/meta_data.json`` and its neighbours.

cloud-init picks a dated version from the list, so every version is served, also those dated in the future
(they are only left out of the list).
"""

from __future__ import annotations

import base64
import datetime
import json
import posixpath
from typing import Any

from nova.guestdata.facts import Facts, decoded
from nova.guestdata.network_data import network_data

FOLSOM, GRIZZLY, HAVANA, LIBERTY = "2012-08-10", "2013-04-04", "2013-10-17", "2015-10-15"
NEWTON_1, NEWTON_2, OCATA, ROCKY = "2016-06-30", "2016-10-06", "2017-02-22", "2018-08-27"
VICTORIA, EPOXY = "2020-10-14", "2025-04-04"
VERSIONS: tuple[str, ...] = (
    FOLSOM,
    GRIZZLY,
    HAVANA,
    LIBERTY,
    NEWTON_1,
    NEWTON_2,
    OCATA,
    ROCKY,
    VICTORIA,
    EPOXY,
)
LATEST = "latest"
JSON_TYPE = "application/json"

_SINCE = {
    "meta_data.json": FOLSOM,
    "user_data": FOLSOM,
    "password": GRIZZLY,
    "vendor_data.json": HAVANA,
    "network_data.json": LIBERTY,
    "vendor_data2.json": NEWTON_2,
}
"""Documents in the order of the listing."""


def versions(today: datetime.date) -> list[str]:
    """Return what ``/openstack`` lists: the versions not after ``today``, then ``latest``."""
    return [v for v in VERSIONS if v <= today.isoformat()] + [LATEST]


def is_version(word: str) -> bool:
    """Tell whether a path's word is a version that is served."""
    return word == LATEST or word in VERSIONS


def document(facts: Facts, version: str, name: str) -> bytes | None:
    """Return one document of a version; none where that version or this guest has none.

    ``password`` is the stored text (reading only; its posting is a matter of the service).
    """
    if name not in _SINCE or not _has(version, _SINCE[name]):
        return None
    if name == "user_data":
        return facts.user_data
    if name == "password":
        return facts.md.password.encode()
    content = _json_documents(facts, version, name)
    return None if content is None else json.dumps(content).encode()


def listing(facts: Facts, version: str) -> list[str]:
    """Return the names of the documents of a version that this guest has."""
    return [name for name in _SINCE if document(facts, version, name) is not None]


def content(facts: Facts, number: str) -> bytes | None:
    """Return an injected file by its four-digit number."""
    if not (len(number) == 4 and number.isascii() and number.isdigit()):
        return None
    files = list(facts.md.guest.personality.values())
    index = int(number)
    return decoded(files[index]) or b"" if index < len(files) else None


def answer(facts: Facts, path: str, today: datetime.date) -> tuple[bytes, str] | None:
    """Return body and content type for a path at or below ``/openstack``; none where there is nothing."""
    parts = [p for p in posixpath.normpath("/" + path).split("/") if p]
    if parts[:1] == ["openstack"]:
        parts = parts[1:]
    found: bytes | None = None
    if not parts:
        found = "\n".join(f"{v}" for v in versions(today)).encode()
    elif parts[0] == "content":
        found = content(facts, parts[1]) if len(parts) == 2 else None
    elif is_version(parts[0]) and len(parts) == 1:
        found = "\n".join(listing(facts, parts[0])).encode()
    elif is_version(parts[0]) and len(parts) == 2:
        found = document(facts, parts[0], parts[1])
    if found is None:
        return None
    return found, JSON_TYPE if parts and parts[-1].endswith(".json") else "text/plain"


def documents(facts: Facts) -> dict[str, bytes]:
    """Return the files of a config drive below ``openstack/`` (there is no password on it)."""
    files: dict[str, bytes] = {}
    for version in (*VERSIONS, LATEST):
        for name in listing(facts, version):
            found = document(facts, version, name)
            if name != "password" and found is not None:
                files[f"openstack/{version}/{name}"] = found
    for index in range(len(facts.md.guest.personality)):
        files[f"openstack/content/{index:04d}"] = content(facts, f"{index:04d}") or b""
    return files


def meta_data(facts: Facts, version: str) -> dict[str, Any]:
    """Return ``meta_data.json`` of a version."""
    guest = facts.md.guest
    tree: dict[str, Any] = {"uuid": guest.id}
    if guest.metadata:
        tree["meta"] = guest.metadata
    if guest.personality:
        tree["files"] = [
            {"path": path, "content_path": f"/content/{index:04d}"}
            for index, path in enumerate(guest.personality)
        ]
    if facts.with_admin_password and guest.admin_password:
        tree["admin_pass"] = guest.admin_password
    if guest.key_name and guest.key_data:
        tree["public_keys"] = {guest.key_name: guest.key_data}
        tree["keys"] = [{"name": guest.key_name, "type": guest.key_type or "ssh", "data": guest.key_data}]
    tree |= {
        "hostname": facts.hostname,
        "name": guest.name,
        "launch_index": guest.launch_index,
        "availability_zone": guest.availability_zone,
    }
    if _has(version, GRIZZLY):
        tree["random_seed"] = base64.b64encode(facts.seed).decode("ascii")
    if _has(version, LIBERTY):
        tree["project_id"] = guest.project_id
    if _has(version, NEWTON_1):
        tree["devices"] = _devices(facts, version)
    if _has(version, VICTORIA):
        tree["dedicated_cpus"] = []
    return tree


def _devices(facts: Facts, version: str) -> list[dict[str, Any]]:
    """Return the devices a user tagged; where on a bus they are is not known, so it is not said."""
    devices: list[dict[str, Any]] = []
    for vif in facts.md.guest.vifs:
        if vif.tag:
            entry: dict[str, Any] = {"type": "nic", "bus": "none", "mac": vif.mac, "tags": [vif.tag]}
            if _has(version, ROCKY):
                entry["vf_trusted"] = False
            devices.append(entry)
    for disk in facts.md.guest.block_devices:
        if disk.tag:
            name = (disk.device_name or "").removeprefix("/dev/")
            serial = disk.volume_id or disk.id
            entry = {"type": "disk", "bus": "none", "serial": serial, "tags": [disk.tag]}
            devices.append(entry | ({"path": f"/dev/{name}"} if name else {}))
    return devices


def _json_documents(facts: Facts, version: str, name: str) -> dict[str, Any] | None:
    if name == "meta_data.json":
        return meta_data(facts, version)
    if name == "network_data.json":
        return network_data(facts.md.guest.vifs)
    if name == "vendor_data.json":
        return facts.vendor.static
    return {"static": facts.vendor.static, **facts.vendor.dynamic}


def _has(version: str, since: str) -> bool:
    if version == LATEST:
        return True
    return version in VERSIONS and VERSIONS.index(version) >= VERSIONS.index(since)
