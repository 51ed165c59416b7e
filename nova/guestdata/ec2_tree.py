"""The EC2-style tree: ``/latest/meta-data/`` and ``/latest/user-data``.

Names and first versions of the entries are those of EC2's instance metadata as OpenStack clouds serve it.
A tree is nested dictionaries of text; a directory lists its keys, one a line, with ``/`` after directories.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Collection

from nova.guestdata.facts import Facts
from nova.objects.block_device import BlockDevice, Destination, Source

Tree = dict[str, "Tree | str"]

VERSIONS: tuple[str, ...] = (
    "1.0",
    "2007-01-19",
    "2007-03-01",
    "2007-08-29",
    "2007-10-10",
    "2007-12-15",
    "2008-02-01",
    "2008-09-01",
    "2009-04-04",
)
LATEST = "latest"

# A guest whose root device nobody knows is told the names of old.
_UNKNOWN_DEVICES: Tree = {"ami": "sda1", "ephemeral0": "sda2", "root": "/dev/sda1", "swap": "sda3"}


def meta_data(facts: Facts, version: str) -> Tree:
    """Return ``meta-data`` as ``version`` (a known one or ``latest``) has it."""
    md, guest = facts.md, facts.md.guest
    local = next((a for vif in guest.vifs for a in vif.addresses if ":" not in a), None)
    tree: Tree = {
        "ami-id": md.ec2_image_id,
        "ami-launch-index": str(guest.launch_index),
        "ami-manifest-path": "FIXME",
        "hostname": facts.hostname,
        "instance-id": md.ec2_instance_id,
        "local-ipv4": local or facts.requester or "",
        "reservation-id": guest.reservation_id,
        "security-groups": "\n".join(md.security_groups),
    }
    if guest.key_name and guest.key_data:
        tree["public-keys"] = {"0": {"openssh-key": guest.key_data}}
    if _has(version, "2007-01-19"):
        tree["local-hostname"] = tree["public-hostname"] = facts.hostname
        tree["public-ipv4"] = md.public_ipv4 or ""
    if _has(version, "2007-08-29"):
        tree["instance-type"] = guest.flavor.name
    if _has(version, "2007-12-15"):
        tree["block-device-mapping"] = block_device_mapping(guest.block_devices)
    if _has(version, "2008-02-01"):
        tree["placement"] = {"availability-zone": guest.availability_zone or ""}
    if _has(version, "2008-09-01"):
        tree["instance-action"] = "none"
    return tree


def block_device_mapping(devices: Collection[BlockDevice]) -> Tree:
    """Return EC2's names of the disks: ami, root, ephemeralN, swap, ebsN."""
    root = next((d.device_name for d in devices if d.is_root and d.device_name), None)
    if root is None:
        return dict(_UNKNOWN_DEVICES)
    mapping: Tree = {"ami": _short(root), "root": f"/dev/{_short(root)}"}
    ephemerals = 0
    for device in devices:
        if device.is_root or device.source is not Source.BLANK or device.destination is not Destination.LOCAL:
            continue
        if device.is_swap:
            mapping["swap"] = _short(device.device_name or "")
        else:
            mapping[f"ephemeral{ephemerals}"] = _short(device.device_name or "")
            ephemerals += 1
    volumes = sorted(d.device_name or "" for d in devices if d.destination is Destination.VOLUME)
    for number, name in enumerate(volumes):
        mapping[f"ebs{number}"] = f"/dev/{_short(name)}"
    return mapping


def answer(facts: Facts, path: str) -> bytes | None:
    """Return the body for a path (with or without a leading ``/ec2``); none where there is nothing."""
    parts = [p for p in posixpath.normpath("/" + path).split("/") if p]
    if parts[:1] == ["ec2"]:
        parts = parts[1:]
    if not parts:
        return "\n".join((*VERSIONS, LATEST)).encode()
    version, *rest = parts
    if version not in VERSIONS and version != LATEST:
        return None
    if not rest:
        return b"meta-data/" if facts.user_data is None else b"meta-data/\nuser-data"
    if rest[0] == "user-data":
        return facts.user_data if len(rest) == 1 else None
    if rest[0] != "meta-data":
        return None
    return _below(facts, meta_data(facts, version), rest[1:])


def documents(facts: Facts, skip: Collection[str] = ()) -> dict[str, bytes]:
    """Return the files of a config drive below ``ec2/``, without the versions in ``skip``."""
    files: dict[str, bytes] = {}
    for version in (*VERSIONS, LATEST):
        if version in skip:
            continue
        files[f"ec2/{version}/meta-data.json"] = json.dumps(
            meta_data(facts, version), sort_keys=True
        ).encode()
        if facts.user_data is not None:
            files[f"ec2/{version}/user-data"] = facts.user_data
    return files


def _below(facts: Facts, tree: Tree, parts: list[str]) -> bytes | None:
    if parts == ["public-keys"] and "public-keys" in tree:
        return f"0={facts.md.guest.key_name}".encode()
    node: Tree | str = tree
    for part in parts:
        if isinstance(node, str) or part not in node:
            return None
        node = node[part]
    if isinstance(node, str):
        return node.encode()
    return "\n".join(k if isinstance(v, str) else f"{k}/" for k, v in sorted(node.items())).encode()


def _has(version: str, since: str) -> bool:
    if version == LATEST:
        return True
    return VERSIONS.index(version) >= VERSIONS.index(since)


def _short(name: str) -> str:
    return name.removeprefix("/dev/")
