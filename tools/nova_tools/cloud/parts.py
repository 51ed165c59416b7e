"""A cloud on this machine as objects: which services and daemons it has, where each lies."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from nova_tools import nova_conf, pythons
from nova_tools.accounts import load_passwords
from nova_tools.api_client import ApiError, request
from nova_tools.cloud.settings import Settings
from nova_tools.places import CHECKOUT, Places
from nova_tools.processes import Program, Supervisor
from nova_tools.services.glance import Glance
from nova_tools.services.keystone import Keystone
from nova_tools.services.libvirt import Libvirt
from nova_tools.services.mariadb import MariaDB
from nova_tools.services.postgresql import PostgreSQL
from nova_tools.services.rabbitmq import RabbitMQ
from nova_tools.stamps import fingerprint

DATABASE = "nova"
_NOVNC_PAGES = Path("/usr/share/novnc")


@dataclass(frozen=True)
class Cloud:
    """Everything that belongs to one cloud; making the object changes nothing on the machine."""

    places: Places
    settings: Settings

    @cached_property
    def passwords(self) -> dict[str, str]:
        return load_passwords(self.places.home / "passwords.json")

    @property
    def supervisor(self) -> Supervisor:
        return Supervisor(self.places.run, self.places.logs)

    @property
    def address(self) -> str:
        """Where clients on this machine reach the services."""
        return "127.0.0.1" if self.settings.address == "0.0.0.0" else self.settings.address

    @property
    def keystone(self) -> Keystone:
        return Keystone(
            directory=self.places.home / "keystone",
            venv=self.places.venv("identity").resolve(),
            template=pythons.template(self.places.installed, "keystone"),
            port=self.settings.ports.keystone,
            admin_password=self.passwords["admin"],
            address=self.address,
        )

    @property
    def glance(self) -> Glance:
        return Glance(
            directory=self.places.home / "glance",
            venv=self.places.venv("identity").resolve(),
            template=pythons.template(self.places.installed, "glance"),
            port=self.settings.ports.glance,
            auth_url=self.keystone.url,
            password=self.passwords["glance"],
            address=self.address,
        )

    @property
    def rabbitmq(self) -> RabbitMQ:
        ports = self.settings.ports
        return RabbitMQ(
            directory=self.places.home / "rabbitmq",
            port=ports.rabbitmq,
            dist_port=ports.rabbitmq_dist,
            epmd_port=ports.rabbitmq_epmd,
        )

    @property
    def database(self) -> MariaDB | PostgreSQL | None:
        """The database server, None for SQLite."""
        if self.settings.database == "mariadb":
            return MariaDB(
                directory=self.places.home / "mariadb",
                port=self.settings.ports.mariadb,
                password=self.passwords["database"],
            )
        if self.settings.database == "postgresql":
            return PostgreSQL(directory=self.places.home / "postgresql", port=self.settings.ports.postgresql)
        return None

    @property
    def libvirt(self) -> Libvirt:
        return Libvirt(directory=self.places.home / "libvirt", cache=self.places.known / "libvirt")

    @property
    def compute_url(self) -> str:
        """The Compute API, as it stands in the catalogue."""
        return f"http://{self.address}:{self.settings.ports.compute}/v2.1"

    @property
    def database_files(self) -> Path:
        """What exists as long as Nova's database does."""
        server = self.database
        return server.directory / "data" if server else self.places.home / "nova" / "nova.sqlite"

    @property
    def virt_type(self) -> Path:
        """Where nova-compute keeps what came of trying KVM, which takes a while where it hangs."""
        return self.places.home / "nova" / "instances" / ".virt-type"

    @property
    def conf_file(self) -> Path:
        return self.places.home / "etc" / "nova.conf"

    @property
    def conf_words(self) -> tuple[str, ...]:
        """What daemons are told of their options: ours, then a person's own, which ``up`` leaves alone."""
        return ("--config-file", str(self.conf_file), "--config-dir", str(self.own_options))

    @property
    def own_options(self) -> Path:
        """A person's own options, in files ``*.conf``."""
        return self.places.home / "etc" / "nova.conf.d"

    @property
    def key_file(self) -> Path:
        """The private key of the demo user's key pair."""
        return self.places.home / "demo.key"

    def write_conf(self) -> None:
        """Write nova.conf for this form of the cloud; it holds passwords, so only root reads it."""
        server = self.database
        around = nova_conf.Surroundings(
            state_path=self.places.home / "nova",
            auth_url=self.keystone.url,
            glance_url=self.glance.url,
            database_url=server.url(DATABASE) if server else f"sqlite:///{self.places.home}/nova/nova.sqlite",
            transport_url=self.rabbitmq.transport_url if self.settings.split else "memory:///nova",
            libvirt_uri=self.libvirt.uri,
            novnc_pages=_NOVNC_PAGES,
            passwords=self.passwords,
        )
        for folder in (
            around.state_path,
            around.state_path / "instances",
            self.own_options,
        ):
            folder.mkdir(parents=True, exist_ok=True)
        fresh = self.conf_file.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(nova_conf.render(nova_conf.sections(self.settings, around)))
        fresh.replace(self.conf_file)

    def nova_binary(self, name: str) -> Path:
        return self.places.venv("nova") / "bin" / name

    def nova_programs(self) -> list[Program]:
        """List Nova's daemons of this form, in the order to show them."""
        names = nova_conf.DAEMONS if self.settings.split else (nova_conf.ALL_IN_ONE,)
        runs_on = self._runs_on()
        return [self._nova_program(name, runs_on) for name in names]

    def _runs_on(self) -> str:
        """Return what Nova's daemons are started from: their environment, the code and the options."""
        code = sorted((CHECKOUT / "nova").rglob("*.py"))
        options = [self.conf_file, *sorted(self.own_options.glob("*.conf"))]
        mark = fingerprint(*(path for path in (*code, *options) if path.exists()))
        return f"{self.places.venv('nova').resolve()} {mark}"

    def _nova_program(self, name: str, runs_on: str) -> Program:
        port = nova_conf.health_ports(self.settings)[name]
        return Program(
            name=name,
            argv=(str(self.nova_binary(name)), *self.conf_words),
            ready=lambda: answers_ok(f"http://127.0.0.1:{port}/readyz"),
            port=port,
            runs_on=runs_on,
            start_seconds=90,
            stop_seconds=90,
        )

    def backing_programs(self) -> list[Program]:
        """List the daemons of others that this form needs."""
        programs = [self.keystone.program(), self.glance.program()]
        if self.settings.split:
            programs.append(self.rabbitmq.program())
        if self.database is not None:
            programs.append(self.database.program())
        if self.settings.driver == "libvirt":
            programs.append(self.libvirt.program())
        return programs

    def programs(self) -> list[Program]:
        """List every daemon of the cloud."""
        return [*self.backing_programs(), *self.nova_programs()]


def answers_ok(url: str, seconds: float = 3.0) -> bool:
    """Tell whether a health page says 200."""
    try:
        request("GET", url, seconds=seconds)
    except (ApiError, OSError, ValueError):
        return False
    return True
