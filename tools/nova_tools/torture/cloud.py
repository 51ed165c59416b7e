"""The cloud under torture: configuration, schema, seed data, and which daemons there are."""

from __future__ import annotations

import sys
import uuid
from pathlib import Path

from nova.conf import load
from nova.db import flavors, migrate, networks
from nova.db.engine import Database
from nova.objects.flavor import Flavor
from nova.objects.ids import FlavorId, NetworkId
from nova.objects.network import Network, Topology
from nova_tools.nova_conf import Sections, render
from nova_tools.ports import free_port
from nova_tools.torture.backing import Backing
from nova_tools.torture.daemons import Daemon, Keeper, Role
from nova_tools.torture.form import Form

_LISTENERS = {
    "api": ("wsgi", "api_listen", "api_listen_port"),
    "metadata": ("metadata", "listen", "port"),
    "novncproxy": ("vnc", "novncproxy_host", "novncproxy_port"),
}
IMAGE = "tiny"
SMALL, LARGE = "1", "2"
SECRET = "what the proxy of the metadata service signs with"


class Cloud:
    """Everything that runs."""

    def __init__(self, form: Form, home: Path, *, env: dict[str, str] | None = None) -> None:
        """``env`` is laid over the environment of Nova's daemons."""
        self.form = form
        self._env = env or {}
        self.home = home
        self.backing = Backing(home, form.database, form.brokers)
        self._etc = home / "etc"
        self.logs = home / "logs"
        for folder in (self._etc, self.logs, home / "images"):
            folder.mkdir(parents=True, exist_ok=True)
        self.daemons = [Daemon(role, self.logs, sys.executable) for role in self._roles()]
        self.keeper = Keeper(self.daemons)

    @property
    def world(self) -> Path:
        """Where fake hosts keep their guests."""
        return self.home / "world"

    @property
    def doors(self) -> list[int]:
        """The ports of the APIs."""
        return self._ports("api")

    @property
    def metadata(self) -> list[int]:
        """The ports of the metadata service."""
        return self._ports("metadata")

    def _ports(self, program: str) -> list[int]:
        return [d.role.port for d in self.of(program) if d.role.port is not None]

    def of(self, program: str) -> list[Daemon]:
        """Return the daemons of a program."""
        return [daemon for daemon in self.daemons if daemon.role.program == program]

    def start(self) -> None:
        """Start everything and wait until it serves."""
        self.configure()
        self.backing.start()
        self.make_schema()
        self.keeper.start()

    def configure(self, changes: Sections | None = None) -> None:
        """Write the configuration that all daemons share, with ``changes`` laid over it."""
        self._write("nova", merged(self._common(), changes or {}))

    def make_schema(self) -> None:
        """Make tables, flavors, a network and an image."""
        migrate.upgrade(self.backing.direct_url)
        self._seed()

    def stop(self) -> None:
        """End everything."""
        self.keeper.stop()
        self.backing.stop()

    def database(self) -> Database:
        """Return the judge's own way to the truth."""
        return Database(self.backing.direct_url, pool_size=4, overflow=8)

    def conf(self) -> object:
        """Return the configuration for the judge's own RPC."""
        return load(["--config-file", str(self._etc / "nova.conf")], program="nova-manage")

    def hypervisor(self) -> Sections:
        """Return the options of compute hosts."""
        return {
            "DEFAULT": {"compute_driver": "fake"},
            "fake": {"world": str(self.world), "vcpus": "16", "ram_mb": "65536", "disk_gb": "1000"},
        }

    def _common(self) -> Sections:
        made: Sections = {
            "DEFAULT": {
                "state_path": str(self.home / "state"),
                "transport_url": self.backing.brokers.transport_url,
                "cpu_allocation_ratio": "1.0",
                "report_interval": "2.0",
                "service_down_time": "20.0",
                "shutdown_timeout": "5",
            },
            "database": {"connection": self.backing.proxied_url},
            "api": {"auth_strategy": "noauth2"},
            "metadata": {"service_metadata_proxy": "true", "metadata_proxy_shared_secret": SECRET},
            "image": {"store": "directory", "directory": str(self.home / "images")},
            "conductor": {"lease": str(self.form.lease_s)},
            "quota": {"instances": "20", "cores": "24", "ram": "200000"},
        }
        return merged(made, self.hypervisor())

    def _roles(self) -> list[Role]:
        twice = (1,) if self.form.single else (1, 2)
        roles = [
            *(self._role("conductor", n) for n in twice),
            *(self._role("scheduler", n) for n in twice),
            self._role("network", 1),
            self._role("consoleauth", 1),
            self._role("novncproxy", 1),
            self._role("metadata", 1),
            *(self._role("api", n) for n in twice),
        ]
        return roles + [self._role("compute", n) for n in range(1, self.form.hosts + 1)]

    def _role(self, program: str, number: int) -> Role:
        name = f"{program}-{number}"
        own: Sections = {"DEFAULT": {"host": f"{'host' if program == 'compute' else 'control'}-{number}"}}
        port = None
        if program in _LISTENERS:
            group, listen, word = _LISTENERS[program]
            port = free_port()
            own[group] = {listen: "127.0.0.1", word: str(port)}
        self._write(name, own)
        return Role(
            name=name,
            program=program,
            config=(self._etc / "nova.conf", self._etc / f"{name}.conf"),
            health=free_port(),
            port=port,
            env=self._env,
        )

    def _write(self, name: str, values: Sections) -> None:
        wanted = {group: options for group, options in values.items() if options}
        (self._etc / f"{name}.conf").write_text(render(wanted))

    def _seed(self) -> None:
        (self.home / "images" / f"{IMAGE}.raw").write_bytes(b"\0" * 4096)
        db = self.database()
        sizes = ((SMALL, 1, 512), (LARGE, 2, 2048))
        for number, vcpus, ram in sizes:
            flavor = Flavor(id=FlavorId(number), name=f"f{number}", vcpus=vcpus, ram_mb=ram, root_gb=1)
            db.run(lambda tx, flavor=flavor: flavors.insert(tx, flavor))  # type: ignore[misc]
        network = Network(
            id=NetworkId(str(uuid.uuid4())),
            label="private",
            cidr="10.20.0.0/16",
            gateway="10.20.0.1",
            dhcp_start="10.20.0.2",
            topology=Topology.NONE,
        )
        db.run(lambda tx: networks.insert(tx, network))
        db.close()


def merged(one: Sections, other: Sections) -> Sections:
    """Lay options over others, group by group."""
    return {group: one.get(group, {}) | other.get(group, {}) for group in one | other}
