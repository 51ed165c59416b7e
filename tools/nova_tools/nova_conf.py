"""Writes ``nova.conf`` for a cloud on one machine: the one place here that knows Nova's option names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nova_tools.cloud.settings import Settings
from nova_tools.nova_manage import GuestNetwork

DAEMONS = (
    "nova-conductor",
    "nova-scheduler",
    "nova-network",
    "nova-compute",
    "nova-consoleauth",
    "nova-novncproxy",
    "nova-api-metadata",
    "nova-api",
)
ALL_IN_ONE = "nova-all"
NETWORK_LABEL = "private"
BRIDGE = "br100"

Sections = dict[str, dict[str, str]]


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What the configuration points to."""

    state_path: Path
    auth_url: str
    glance_url: str
    database_url: str
    transport_url: str
    libvirt_uri: str
    novnc_pages: Path
    passwords: Mapping[str, str]


def health_ports(settings: Settings) -> dict[str, int]:
    """Return the health port of each daemon."""
    first = settings.ports.health
    return {name: first + number for number, name in enumerate((ALL_IN_ONE, *sorted(DAEMONS)))}


def sections(settings: Settings, around: Surroundings) -> Sections:
    """Return every option by group."""
    ports, address = settings.ports, settings.address
    health = ",".join(f"{name}:{port}" for name, port in health_ports(settings).items())
    return {
        "DEFAULT": {
            "state_path": str(around.state_path),
            "my_ip": "127.0.0.1",
            "transport_url": around.transport_url,
            "compute_driver": settings.driver,
            "instances_path": str(around.state_path / "instances"),
        },
        "database": {"connection": around.database_url},
        "health": {"address": "127.0.0.1", "ports": health},
        "api": {"auth_strategy": "keystone"},
        "wsgi": {"api_listen": address, "api_listen_port": str(ports.compute)},
        "keystone_authtoken": _keystone(around),
        "glance": {**_keystone(around), "endpoint_override": around.glance_url},
        "vnc": {
            "novncproxy_host": address,
            "novncproxy_port": str(ports.novnc),
            "novncproxy_base_url": f"http://{_reachable(address)}:{ports.novnc}/vnc_lite.html",
            "web": str(around.novnc_pages),
        },
        "network": {"metadata_port": str(ports.metadata)},
        "metadata": {"port": str(ports.metadata)},
        **_driver(settings, around),
    }


def _driver(settings: Settings, around: Surroundings) -> Sections:
    if settings.driver == "fake":
        return {"fake": {"hosts": str(settings.hosts), "world": str(around.state_path / "fake")}}
    # auto: KVM where a guest really runs on it, else emulation; /dev/kvm alone proves nothing.
    return {"libvirt": {"connection_uri": around.libvirt_uri, "virt_type": "auto"}}


def _keystone(around: Surroundings) -> dict[str, str]:
    return {
        "auth_type": "password",
        "auth_url": around.auth_url,
        "www_authenticate_uri": around.auth_url,
        "username": "nova",
        "password": around.passwords["nova"],
        "project_name": "service",
        "user_domain_name": "Default",
        "project_domain_name": "Default",
        "region_name": "RegionOne",
    }


def _reachable(address: str) -> str:
    return "127.0.0.1" if address == "0.0.0.0" else address


def render(values: Sections) -> str:
    """Write the options as an ini file, each group once, in a fixed order."""
    blocks = []
    for group, options in values.items():
        lines = [f"{name} = {value.replace('$', '$$')}" for name, value in options.items()]
        blocks.append("\n".join([f"[{group}]", *lines]))
    return "\n\n".join(blocks) + "\n"


def guest_network(settings: Settings) -> GuestNetwork:
    """Describe the network all guests are on; guests of the fake driver need nothing of the machine."""
    return GuestNetwork(NETWORK_LABEL, settings.guest_range, None if settings.driver == "fake" else BRIDGE)
