"""Our cloud for a benchmark, in the form asked for, with real parts around it; gone after the block."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from nova_tools.cloud.parts import answers_ok
from nova_tools.commands import run
from nova_tools.nova_conf import render
from nova_tools.ports import free_port
from nova_tools.processes import Program, Supervisor
from nova_tools.services.mariadb import MariaDB
from nova_tools.services.postgresql import PostgreSQL
from nova_tools.services.rabbitmq import RabbitMQ
from tests.benchmarks.clients import Client, Target
from tests.support.glance import glance
from tests.support.keystone import PASSWORD, RunningKeystone, keystone
from tests.support.services import scratch_directory

DAEMONS = ("nova-conductor", "nova-scheduler", "nova-compute", "nova-api")
_MODULES = {name: f"nova.cmd.{name.removeprefix('nova-').replace('-', '_')}" for name in DAEMONS} | {
    "nova-all": "nova.cmd.all"
}
_IMAGE_BYTES = 65536


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """How the cloud is built."""

    split: bool = True
    database: str = "mariadb"
    concurrency: str = "eventlet"
    transport: str = "rabbit"
    """The scheme of the transport of a split cloud: ours, or ``oslo+rabbit``, the library's."""
    hosts: int = 20
    auth: str = "keystone"
    extra: dict[str, dict[str, str]] = {}

    @property
    def words(self) -> str:
        """Say it shortly."""
        shape = f"split, {self.transport}" if self.split else "nova-all, in memory"
        return f"{shape}, {self.database}, {self.concurrency}, {self.hosts} hosts, {self.auth}"


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Keystone and Glance, ours or somebody's, and the password of the user ``nova``."""

    auth_url: str
    glance_url: str
    admin_password: str
    service_password: str
    image: str
    watch: dict[str, list[int]] = {}


@contextlib.contextmanager
def own_identity() -> Iterator[Identity]:
    """Run a Keystone and a Glance with an image."""
    with keystone() as server, glance(server) as images, scratch_directory("image") as folder:
        file = folder / "tiny.qcow2"
        raw = folder / "tiny.raw"
        raw.write_bytes(b"\0" * _IMAGE_BYTES)
        run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, file], seconds=60)
        image = images.store(server.token().value, "tiny", file, {})
        _register(server)
        yield Identity(
            auth_url=server.url,
            glance_url=images.url,
            admin_password=PASSWORD,
            service_password=PASSWORD,
            image=image,
            watch={},
        )


def _register(server: RunningKeystone) -> None:
    server.register("compute", "nova", "http://127.0.0.1:1/v2.1")


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A cloud that runs."""

    target: Target
    form: Form
    conf_file: Path
    schema_s: float
    supervisor: Supervisor
    programs: dict[str, Program]


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """What daemons stand on: a database with its schema, a broker, the configuration."""

    home: Path
    conf_file: Path
    api_port: int
    schema_s: float
    supervisor: Supervisor
    watch: dict[str, list[int]]


@contextlib.contextmanager
def ground(form: Form, identity: Identity | None) -> Iterator[Ground]:
    """Have database, broker and configuration; ``identity`` none: noauth and a directory of images."""
    with scratch_directory("bench") as home, contextlib.ExitStack() as stack:
        supervisor = Supervisor(home / "run", home / "logs")
        watch: dict[str, list[int]] = {}
        database_url, transport_url = f"sqlite:///{home}/nova.sqlite", "memory:///bench"
        if form.database != "sqlite":
            database_url = _database(form, home, supervisor, stack)
            watch["database"] = _pids(supervisor, "database")
        if form.split:
            broker = RabbitMQ(
                directory=home / "rabbitmq", port=free_port(), dist_port=free_port(), epmd_port=free_port()
            )
            broker.prepare()
            _start(broker.program("broker"), supervisor, stack)
            watch["broker"] = _pids(supervisor, "broker")
            transport_url = broker.transport_url.replace("rabbit:", f"{form.transport}:", 1)
        api_port = free_port()
        conf_file = _write_conf(form, identity, home, (database_url, transport_url, api_port))
        yield Ground(
            home=home,
            conf_file=conf_file,
            api_port=api_port,
            schema_s=_schema(conf_file),
            supervisor=supervisor,
            watch=watch,
        )


@contextlib.contextmanager
def cloud(form: Form, identity: Identity | None) -> Iterator[Standing]:
    """Bring our cloud up."""
    with ground(form, identity) as under, contextlib.ExitStack() as stack:
        programs, watch = _programs(form, under.conf_file), dict(under.watch)
        for program in programs.values():
            _start(program, under.supervisor, stack)
            watch[program.name] = _pids(under.supervisor, program.name)
        target = Target(
            name="ours",
            endpoint=f"http://127.0.0.1:{under.api_port}/v2.1",
            auth_url=identity.auth_url if identity else "",
            password=identity.admin_password if identity else "",
            token="" if identity else "admin:admin",
            image=identity.image if identity else "",
            flavor="",
            watch=watch | (identity.watch if identity else {}),
        ).logged_in()
        yield Standing(
            target=_with_things(target),
            form=form,
            conf_file=under.conf_file,
            schema_s=under.schema_s,
            supervisor=under.supervisor,
            programs=programs,
        )


def _start(program: Program, supervisor: Supervisor, stack: contextlib.ExitStack) -> None:
    stack.callback(supervisor.end, program)
    supervisor.start(program)


def _pids(supervisor: Supervisor, name: str) -> list[int]:
    pid = supervisor.pid(name)
    assert pid is not None, name
    return [pid]


def _database(form: Form, home: Path, supervisor: Supervisor, stack: contextlib.ExitStack) -> str:
    """Start a server that commits durably, with a database for us."""
    if form.database == "mariadb":
        server: MariaDB | PostgreSQL = MariaDB(directory=home / "sql", port=free_port(), durable=True)
    else:
        server = PostgreSQL(directory=home / "sql", port=free_port(), durable=True)
    server.prepare()
    _start(server.program("database"), supervisor, stack)
    server.create("nova")
    return server.url("nova")


def _write_conf(form: Form, identity: Identity | None, home: Path, where: tuple[str, str, int]) -> Path:
    database_url, transport_url, api_port = where
    known: dict[str, str] = {}
    if identity is not None:
        known = {
            "auth_type": "password",
            "auth_url": identity.auth_url,
            "www_authenticate_uri": identity.auth_url,
            "username": "nova",
            "password": identity.service_password,
            "project_name": "service",
            "user_domain_name": "Default",
            "project_domain_name": "Default",
            "region_name": "RegionOne",
        }
    health = ",".join(f"{name}:{free_port()}" for name in _MODULES)
    sections = {
        "DEFAULT": {
            "host": "bench",
            "state_path": str(home),
            "transport_url": transport_url,
            "compute_driver": "fake",
            "log_file": str(home / "logs" / "nova.log"),
        },
        "database": {"connection": database_url},
        "health": {"ports": health},
        "api": {"auth_strategy": "keystone" if identity else "noauth2"},
        "wsgi": {"api_listen": "127.0.0.1", "api_listen_port": str(api_port)},
        "fake": {"hosts": str(form.hosts), "vcpus": "64", "ram_mb": "1048576", "disk_gb": "100000"},
        "image": {"store": "glance" if identity else "directory", "directory": str(home / "images")},
        "quota": {"instances": "-1", "cores": "-1", "ram": "-1"},
        # One broker has nothing to replicate, and the other side's queues are classic ones.
        "rpc": {"quorum_queues": "false"},
        "filter_scheduler": {"max_instances_per_host": "1000000", "max_io_ops_per_host": "1000000"},
        "all": {"daemons": ",".join(DAEMONS)},
    }
    if identity is not None:
        sections["keystone_authtoken"] = known
        sections["glance"] = {**known, "endpoint_override": identity.glance_url}
    else:
        (home / "images").mkdir()
        (home / "images" / "tiny.raw").write_bytes(b"\0" * _IMAGE_BYTES)
    for group, options in form.extra.items():
        sections[group] = sections.get(group, {}) | options
    (home / "logs").mkdir(exist_ok=True)
    file = home / "nova.conf"
    file.write_text(render(sections))
    return file


def manage(conf_file: Path, *words: str) -> str:
    """Run ``nova-manage``."""
    return run(
        [sys.executable, "-m", "nova.cmd.manage.main", "--config-file", conf_file, *words], seconds=300
    )


def _schema(conf_file: Path) -> float:
    began = time.monotonic()
    manage(conf_file, "db", "sync")
    return time.monotonic() - began


def _programs(form: Form, conf_file: Path) -> dict[str, Program]:
    names = DAEMONS if form.split else ("nova-all",)
    ports = dict(
        pair.split(":") for pair in _option(conf_file, "ports").split(",")
    )  # fmt: skip
    return {
        name: Program(
            name=name,
            argv=(sys.executable, "-m", _MODULES[name], "--config-file", str(conf_file)),
            env={
                "NOVA_CONCURRENCY": form.concurrency,
                "PYTHONPATH": os.pathsep.join(sys.path),
                "PYTHONDONTWRITEBYTECODE": "",
            },
            ready=lambda port=ports[name]: answers_ok(f"http://127.0.0.1:{port}/readyz"),  # type: ignore[misc]
            start_seconds=120,
        )
        for name in names
    }


def _option(conf_file: Path, name: str) -> str:
    line = next(text for text in conf_file.read_text().splitlines() if text.startswith(f"{name} = "))
    return line.partition(" = ")[2]


def _with_things(target: Target) -> Target:
    """Make the flavor that the benchmark uses; find the image where the target does not say."""
    client = Client(target)
    flavor = {"name": "bench", "vcpus": 1, "ram": 64, "disk": 1, "id": "bench"}
    client.json("POST", "/flavors", {"flavor": flavor})
    image = target.image
    if not image:
        old = Client(msgspec.structs.replace(target, microversion="2.1"))
        image = old.json("GET", "/images")["images"][0]["id"]
    return msgspec.structs.replace(target, flavor="bench", image=image)
