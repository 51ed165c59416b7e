"""Looking at the machine before anything is changed: is this a place where the cloud can stand?"""

from __future__ import annotations

import ipaddress
import os
import re
import shutil
import socket
from collections.abc import Iterable
from pathlib import Path

from nova_tools import nova_conf, ports
from nova_tools.cloud.settings import Ports, Settings
from nova_tools.processes import Supervisor
from nova_tools.trouble import Trouble

_INSTALLED_MIB = 4000
_RUNNING_MIB = 1500
_MEMORY_MIB = 1500
# Ranges that few networks use; the first one that meets no route of the machine is taken.
_CANDIDATES = tuple(f"10.{second}.0.0/24" for second in (20, 77, 120, 177, 220, 42))


def require_root() -> None:
    """Raise :class:`Trouble` unless we are root."""
    if os.geteuid() != 0:
        raise Trouble(
            "This needs root: it starts daemons and builds networks", "Run it again with sudo or as root"
        )


def require_fit(home: Path, *, fresh: bool) -> None:
    """Raise :class:`Trouble` unless this is a Debian machine, and disk and memory suffice."""
    if not shutil.which("apt-get"):
        raise Trouble("This machine has no apt-get", "Use Debian 12 (a container or virtual machine will do)")
    home.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(home).free // (1 << 20)
    wanted = _INSTALLED_MIB if fresh else _RUNNING_MIB
    if free < wanted:
        raise Trouble(
            f"Only {free} MiB are free for {home}, {wanted} MiB are needed",
            "Free some, or choose another place with NOVA_CLOUD_HOME",
        )
    memory = available_memory(Path("/proc/meminfo").read_text())
    if fresh and memory < _MEMORY_MIB:
        raise Trouble(
            f"Only {memory} MiB of memory are available, {_MEMORY_MIB} MiB are needed", "Stop something"
        )


def available_memory(meminfo: str) -> int:
    """Read the available MiB from ``/proc/meminfo``."""
    found = re.search(r"MemAvailable:\s+(\d+) kB", meminfo)
    return int(found[1]) // 1024 if found else 0


def wanted_ports(settings: Settings) -> dict[str, int]:
    """List the ports this form of the cloud listens on, by the program that does and what for."""
    all_ports: Ports = settings.ports
    wanted = {"keystone": all_ports.keystone, "glance": all_ports.glance}
    if settings.split:
        wanted |= {
            "rabbitmq": all_ports.rabbitmq,
            "rabbitmq (its neighbours)": all_ports.rabbitmq_dist,
            "rabbitmq (epmd)": all_ports.rabbitmq_epmd,
            settings.database: all_ports.mariadb if settings.database == "mariadb" else all_ports.postgresql,
            "nova-api": all_ports.compute,
            "nova-api-metadata": all_ports.metadata,
            "nova-novncproxy": all_ports.novnc,
        }
    else:
        wanted |= {"nova-all": all_ports.compute, "nova-all (metadata)": all_ports.metadata,
                   "nova-all (noVNC)": all_ports.novnc}  # fmt: skip
    names = nova_conf.DAEMONS if settings.split else (nova_conf.ALL_IN_ONE,)
    health = nova_conf.health_ports(settings)
    return wanted | {f"{name} (health)": health[name] for name in names}


def require_ports(settings: Settings, supervisor: Supervisor) -> None:
    """Raise :class:`Trouble` when a stranger holds a port of a program of ours that does not run."""
    for purpose, port in wanted_ports(settings).items():
        if supervisor.pid(purpose.split()[0]) is None:
            ports.require_free(_listens_on(settings, purpose), port, purpose)


def _listens_on(settings: Settings, purpose: str) -> str:
    inside = ("health", "rabbitmq", "mariadb", "postgresql")
    return "127.0.0.1" if any(word in purpose for word in inside) else settings.address


def free_range(used: Iterable[str]) -> str:
    """Return a range for guests that meets none of the networks in use."""
    taken = [ipaddress.ip_network(text, strict=False) for text in used]
    for candidate in _CANDIDATES:
        if not any(ipaddress.ip_network(candidate).overlaps(network) for network in taken):
            return candidate
    raise Trouble(
        "Every address range tried for the guests' network is in use on this machine",
        "Choose one with --range, for instance --range 192.168.99.0/24",
    )


def networks_in_use() -> list[str]:
    """List the IPv4 networks this machine has routes to (the default route aside)."""
    return read_routes(Path("/proc/net/route").read_text())


def read_routes(table: str) -> list[str]:
    """Read the destinations from ``/proc/net/route`` (addresses and masks there are in host order)."""
    found = []
    for line in table.splitlines()[1:]:
        fields = line.split()
        destination, mask = (socket.inet_ntoa(int(fields[n], 16).to_bytes(4, "little")) for n in (1, 7))
        if mask != "0.0.0.0":
            found.append(str(ipaddress.ip_network(f"{destination}/{mask}")))
    return found


def name_of_this_machine() -> str:
    """Return the host name that the cloud's compute host gets."""
    return socket.gethostname()
