"""Servers as the API shows them: one dict with what all versions show.

:class:`ServerView` is made once a request: policies, versions and link prefixes are looked at once, so that
a list of a thousand servers costs a thousand dicts and nothing more.
"""

from __future__ import annotations

import datetime
import hashlib
from functools import lru_cache
from typing import Any

from nova.api.compute.moments import micros
from nova.api.compute.servers import rules
from nova.api.wsgi.paging import PageQuery, next_links
from nova.api.wsgi.request import Request
from nova.lifecycle.status import shows_progress, status
from nova.objects.block_device import Destination
from nova.objects.flavor import Flavor
from nova.objects.image import Image
from nova.objects.instance import Fault, Instance
from nova.objects.network import Vif
from nova.objects.states import Vm

Json = dict[str, Any]
Page = tuple[tuple[Instance, ...], PageQuery]
_WITH_FAULT = frozenset({"ERROR", "DELETED"})
_IMAGE_PROPERTIES = ("hw_", "os_", "img_", "traits", "vmware_", "architecture", "auto_disk_config")
"""How the properties begin that mean something to compute; an image's others are not shown."""
_TEXT_HINTS = frozenset({"query", "target_cell", "build_near_host_ip", "cidr"})


def seconds(moment: datetime.datetime) -> str:
    """Return ``YYYY-MM-DDTHH:MM:SSZ``."""
    return f"{moment.isoformat()[:19]}Z"


@lru_cache(maxsize=4096)
def host_id(project_id: str, host: str | None) -> str:
    """Return the opaque name of a host that a project sees."""
    return hashlib.sha224(f"{project_id}{host}".encode()).hexdigest() if host else ""


def instance_name(instance_id: str) -> str:
    """Return the name of the guest on its host."""
    return f"instance-{instance_id}"


def short_addresses(vifs: tuple[Vif, ...]) -> dict[str, list[Json]]:
    """Return network labels with addresses and their versions only."""
    return {
        label: [{"version": row["version"], "addr": row["addr"]} for row in rows]
        for label, rows in addresses(vifs).items()
    }


def addresses(vifs: tuple[Vif, ...]) -> dict[str, list[Json]]:
    """Return network labels with fixed and floating addresses."""
    found: dict[str, list[Json]] = {}
    for vif in vifs:
        rows = found.setdefault(vif.label, [])
        for fixed in vif.addresses:
            rows.append(_address(fixed, "fixed", vif.mac))
            rows.extend(_address(floating, "floating", vif.mac) for floating in vif.floating.get(fixed, ()))
    return found


def _address(address: str, kind: str, mac: str) -> Json:
    return {
        "version": 6 if ":" in address else 4,
        "addr": address,
        "OS-EXT-IPS:type": kind,
        "OS-EXT-IPS-MAC:mac_addr": mac,
    }


def _hints(hints: dict[str, list[str]]) -> Json:
    return {
        key: values[0] if key in _TEXT_HINTS and values else list(values) for key, values in hints.items()
    }


class ServerView:
    """Renders the servers of one request."""

    def __init__(self, req: Request) -> None:
        self._links = req.links
        self._own = req.links.to("servers/")
        self._bookmark = req.links.bookmark("servers/")
        self._admin = req.ctx.is_admin
        self._attributes = req.may(rules.ATTRIBUTES)
        self._hostname = self._attributes or req.has("hostname_for_all")
        self._extra_specs = req.may(rules.EXTRA_SPECS)
        self._host_status = req.may(rules.HOST_STATUS)
        self._host_unknown = self._host_status or req.may(rules.HOST_UNKNOWN)

    def links(self, instance_id: str) -> list[dict[str, str]]:
        """Return the links of a server."""
        return [
            {"rel": "self", "href": self._own + instance_id},
            {"rel": "bookmark", "href": self._bookmark + instance_id},
        ]

    def entry(self, instance: Instance) -> Json:
        """Return what the short list shows."""
        return {"id": instance.id, "name": instance.display_name, "links": self.links(instance.id)}

    def server(self, instance: Instance) -> Json:
        """Return all of a server, but for its groups, which lists do not show."""
        word = "DELETED" if instance.is_deleted else status(instance.vm_state, instance.task_state)
        document: Json = {
            "id": instance.id,
            "name": instance.display_name,
            "status": word,
            "tenant_id": instance.project_id,
            "user_id": instance.user_id,
            "metadata": instance.metadata,
            "hostId": host_id(instance.project_id, instance.host),
            "image": self._image(instance.image),
            "flavor": self._flavor(instance.flavor),
            "created": seconds(instance.created_at),
            "updated": seconds(instance.updated_at or instance.created_at),
            "addresses": {} if instance.vm_state is Vm.BUILDING else addresses(instance.vifs),
            "accessIPv4": instance.access_ip_v4 or "",
            "accessIPv6": instance.access_ip_v6 or "",
            "links": self.links(instance.id),
            "OS-DCF:diskConfig": "AUTO" if instance.auto_disk_config else "MANUAL",
            "OS-EXT-AZ:availability_zone": instance.availability_zone or "",
            "config_drive": "True" if instance.config_drive else "",
            "key_name": instance.key_name,
            "OS-SRV-USG:launched_at": micros(instance.launched_at),
            "OS-SRV-USG:terminated_at": micros(instance.terminated_at),
            "OS-EXT-STS:task_state": instance.task_state,
            "OS-EXT-STS:vm_state": instance.vm_state,
            "OS-EXT-STS:power_state": int(instance.power_state),
            "os-extended-volumes:volumes_attached": _volumes(instance),
            "locked": instance.locked_by is not None,
            "locked_reason": instance.locked_reason,
            "description": instance.description,
            "tags": list(instance.tags),
            "trusted_image_certificates": _list_or_none(instance.trusted_certs),
            "pinned_availability_zone": instance.pinned_zone,
            "scheduler_hints": _hints(instance.scheduler_hints),
        }
        if instance.security_groups:
            document["security_groups"] = [{"name": name} for name in instance.security_groups]
        if shows_progress(word):
            document["progress"] = instance.progress
        if instance.fault is not None and word in _WITH_FAULT:
            document["fault"] = self._fault(instance.fault)
        self._add_guarded(document, instance)
        return document

    def one(self, instance: Instance) -> Json:
        """Return all of a server, as it is shown alone."""
        document = self.server(instance)
        document["server_groups"] = [instance.server_group_id] if instance.server_group_id else []
        return document

    def _add_guarded(self, document: Json, instance: Instance) -> None:
        """Add what only some callers may see."""
        if self._host_unknown and (self._host_status or instance.host_status == "UNKNOWN"):
            document["host_status"] = instance.host_status
        if self._hostname:
            document["OS-EXT-SRV-ATTR:hostname"] = instance.hostname
        if not self._attributes:
            return
        properties = instance.image.properties if instance.image else {}
        document["OS-EXT-SRV-ATTR:host"] = instance.host
        document["OS-EXT-SRV-ATTR:hypervisor_hostname"] = instance.node
        document["OS-EXT-SRV-ATTR:instance_name"] = instance_name(instance.id)
        document["OS-EXT-SRV-ATTR:reservation_id"] = instance.reservation_id
        document["OS-EXT-SRV-ATTR:launch_index"] = instance.launch_index
        document["OS-EXT-SRV-ATTR:kernel_id"] = properties.get("kernel_id", "")
        document["OS-EXT-SRV-ATTR:ramdisk_id"] = properties.get("ramdisk_id", "")
        document["OS-EXT-SRV-ATTR:root_device_name"] = instance.root_device_name
        document["OS-EXT-SRV-ATTR:user_data"] = instance.user_data

    def _image(self, image: Image | None) -> Json | str:
        if image is None:
            return ""
        known = {key: value for key, value in image.properties.items() if key.startswith(_IMAGE_PROPERTIES)}
        return {"id": image.id, "links": self._links.image(image.id), "properties": known}

    def _flavor(self, flavor: Flavor) -> Json:
        document: Json = {
            "id": flavor.id,
            "links": self._links.only_bookmark(f"flavors/{flavor.id}"),
            "vcpus": flavor.vcpus,
            "ram": flavor.ram_mb,
            "disk": flavor.root_gb,
            "ephemeral": flavor.ephemeral_gb,
            "swap": flavor.swap_mb,
            "original_name": flavor.name,
        }
        if self._extra_specs:
            document["extra_specs"] = dict(flavor.extra_specs)
        return document

    def _fault(self, fault: Fault) -> Json:
        document: Json = {
            "code": fault.code,
            "created": seconds(fault.created_at),
            "message": fault.message[:255],
        }
        if fault.details and (self._admin or fault.code != 500):
            document["details"] = fault.details
        return document


def _volumes(instance: Instance) -> list[Json]:
    return [
        {"id": device.volume_id, "delete_on_termination": device.delete_on_termination}
        for device in instance.block_devices
        if device.destination is Destination.VOLUME and device.volume_id
    ]


def _list_or_none(values: tuple[str, ...] | None) -> list[str] | None:
    return None if values is None else list(values)


def one_server(req: Request, instance: Instance) -> Json:
    """Render ``{"server": ...}``."""
    return {"server": ServerView(req).one(instance)}


def short_list(req: Request, page: Page) -> Json:
    """Render ids, names and links."""
    return _list(req, page, list(map(ServerView(req).entry, page[0])))


def long_list(req: Request, page: Page) -> Json:
    """Render whole servers."""
    view = ServerView(req)
    return _list(req, page, [view.server(instance) for instance in page[0]])


def _list(req: Request, page: Page, rows: list[Json]) -> Json:
    instances, asked = page
    document: Json = {"servers": rows}
    links = next_links(req, instances, asked.limit, instances[-1].id if instances else None)
    if links:
        document["servers_links"] = links
    return document
