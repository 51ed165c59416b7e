"""From the body of a create request to what it wishes for."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from nova import ids
from nova.api.compute.servers.mappings import block_devices
from nova.api.wsgi.formats import canonical_uuid, is_uuid
from nova.api.wsgi.schema_parts import truth
from nova.errors import BadRequest
from nova.errors.servers import TooManyInterfaces
from nova.objects.block_device import BlockDevice, Source
from nova.objects.ids import FlavorId, HostName, ImageId, NetworkId, NodeName, VifId
from nova.objects.instance import BootWish
from nova.objects.network import NetworkChoice, NetworkWish

Json = dict[str, Any]
MOST_INTERFACES = 24
"""Of one server, as many as guests have had slots for; the quota ``fixed_ips`` bounds those of a project."""
MOST_AT_ONCE = 10_000
"""Servers of one request: it is one transaction, and no list of them may eat the memory of a conductor."""


def boot_wish(body: Json) -> BootWish:
    """Read a checked body.  Raises 400 for what its schema cannot say, 403 for too many interfaces."""
    server: Json = body["server"]
    least, most = _counts(server)
    image_id = _image(server)
    choice, networks = _networks(server.get("networks"))
    zone, host, node = _zone(server.get("availability_zone"))
    requested_host, requested_node = server.get("host"), server.get("hypervisor_hostname")
    if (host or node) and (requested_host or requested_node):
        raise BadRequest(
            reason="A host in availability_zone cannot be combined with host or hypervisor_hostname."
        )
    devices = _devices(server, image_id)
    _check_device_tags("network interface", [wish.tag for wish in networks])
    _check_device_tags("disk", [device.tag for device in devices])
    if most > 1:
        _check_many(server, networks, devices)
    return BootWish(
        name=server["name"].strip(),
        flavor_id=FlavorId(str(server["flavorRef"]).rstrip("/").rpartition("/")[2]),
        image_id=image_id,
        min_count=least,
        max_count=most,
        key_name=server.get("key_name"),
        network_choice=choice,
        networks=networks,
        security_groups=group_names(server),
        user_data=server.get("user_data") or None,
        config_drive=truth(server.get("config_drive")),
        metadata=server.get("metadata") or {},
        tags=tuple(dict.fromkeys(server.get("tags") or ())),
        description=server.get("description"),
        hostname=server.get("hostname"),
        availability_zone=zone,
        forced_host=HostName(host) if host else None,
        forced_node=NodeName(node) if node else None,
        requested_host=HostName(requested_host) if requested_host else None,
        requested_node=NodeName(requested_node) if requested_node else None,
        block_devices=devices,
        scheduler_hints=_hints(body),
        access_ip_v4=server.get("accessIPv4"),
        access_ip_v6=server.get("accessIPv6"),
        auto_disk_config=server.get("OS-DCF:diskConfig", "AUTO") == "AUTO",
        admin_password=server.get("adminPass") or ids.new_password(),
        trusted_certs=_certificates(server),
        personality=_files(server),
    )


def group_names(server: Json) -> tuple[str, ...]:
    """Return the names of the security groups that were asked for, each once."""
    return tuple(
        dict.fromkeys(item["name"] for item in server.get("security_groups") or () if item.get("name"))
    )


def _files(server: Json) -> dict[str, str]:
    """Return path and contents of the files to inject; that both must be there, no schema says."""
    files = {}
    for item in server.get("personality") or ():
        for key in ("path", "contents"):
            if key not in item:
                raise BadRequest(reason=f"Bad personality format: missing {key}")
        files[item["path"]] = item["contents"]
    return files


def _counts(server: Json) -> tuple[int, int]:
    least = int(server.get("min_count") or 1)
    most = int(server.get("max_count") or least)
    if least > most:
        raise BadRequest(reason="min_count must be <= max_count")
    if least > MOST_AT_ONCE:
        raise BadRequest(reason=f"min_count must be at most {MOST_AT_ONCE}")
    return least, min(most, MOST_AT_ONCE)


def _image(server: Json) -> ImageId | None:
    named = server.get("imageRef")
    if named:
        return ImageId(canonical_uuid(named))
    if not server.get("block_device_mapping") and not server.get("block_device_mapping_v2"):
        raise BadRequest(reason="Invalid imageRef provided." if named == "" else "Missing imageRef attribute")
    return None


def _devices(server: Json, image_id: ImageId | None) -> tuple[BlockDevice, ...]:
    if server.get("block_device_mapping") or server.get("block_device_mapping_v2"):
        return block_devices(server, image_id)
    return ()


def _networks(asked: Any) -> tuple[NetworkChoice, tuple[NetworkWish, ...]]:
    if asked == "none":
        return NetworkChoice.NONE, ()
    if not asked or asked == "auto":
        return NetworkChoice.AUTO, ()
    if len(asked) > MOST_INTERFACES:
        raise TooManyInterfaces(most=MOST_INTERFACES)
    return NetworkChoice.LISTED, tuple(_network(item) for item in asked)


def _network(item: Json) -> NetworkWish:
    port, network, fixed_ip = item.get("port"), item.get("uuid"), item.get("fixed_ip")
    if port:
        if fixed_ip:
            raise BadRequest(reason=f"Specified Fixed IP '{fixed_ip}' cannot be used with port '{port}'.")
        return NetworkWish(port_id=VifId(port), tag=item.get("tag"))
    if not network:
        raise BadRequest(reason="Bad network format: missing 'uuid'")
    if not is_uuid(network):
        raise BadRequest(reason=f"Bad networks format: network uuid is not in proper format ({network})")
    return NetworkWish(network_id=NetworkId(canonical_uuid(network)), fixed_ip=fixed_ip, tag=item.get("tag"))


def _zone(text: str | None) -> tuple[str | None, str | None, str | None]:
    """Split ``zone``, ``zone:host``, ``zone:host:node`` and ``zone::node``."""
    if not text:
        return None, None, None
    zone, *rest = text.split(":")
    if len(rest) > 2:
        raise BadRequest(
            reason="Invalid availability_zone format: it must be zone, zone:host or zone:host:node"
        )
    host = rest[0] if rest else ""
    node = rest[1] if len(rest) > 1 else ""
    return zone or None, host or None, node or None


def _check_many(server: Json, networks: tuple[NetworkWish, ...], devices: tuple[BlockDevice, ...]) -> None:
    """Refuse what only one server can have."""
    if server.get("hostname"):
        raise BadRequest(
            reason="Unable to allocate a single hostname to multiple instances: "
            "name them, and they get hostnames of their own."
        )
    if any(wish.port_id for wish in networks):
        raise BadRequest(
            reason="Unable to launch multiple instances with a single configured port ID. "
            "Please launch your instance one by one with different ports."
        )
    if any(wish.fixed_ip for wish in networks):
        raise BadRequest(reason="Unable to launch multiple instances with a single fixed IP address.")
    if any(device.source is Source.VOLUME for device in devices):
        raise BadRequest(reason="Cannot attach one or more volumes to multiple instances")


def _check_device_tags(kind: str, tags: Sequence[str | None]) -> None:
    """Refuse a tag by which the guest could not tell two devices of a kind apart."""
    doubled = next((tag for tag, times in Counter(tags).items() if tag is not None and times > 1), None)
    if doubled is not None:
        raise BadRequest(reason=f"Tag '{doubled}' is given to more than one {kind}.")


def _hints(body: Json) -> dict[str, list[str]]:
    asked: Json = {
        **(body.get("OS-SCH-HNT:scheduler_hints") or {}),
        **(body.get("os:scheduler_hints") or {}),
    }
    return {key: _hint(value) for key, value in asked.items()}


def _hint(value: Any) -> list[str]:
    if isinstance(value, list):
        return [one if isinstance(one, str) else json.dumps(one) for one in value]
    return [value if isinstance(value, str) else json.dumps(value)]


def _certificates(server: Json) -> tuple[str, ...] | None:
    named = server.get("trusted_image_certificates")
    return None if named is None else tuple(named)
