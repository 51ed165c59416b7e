"""The daemons of others, started by hand, answer; and leave nothing behind when they end."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy

from nova_tools import ports
from nova_tools.processes import Supervisor
from nova_tools.services.libvirt import Libvirt
from nova_tools.services.rabbitmq import RabbitMQ
from tests.support.mariadb import mariadb
from tests.support.postgres import postgres


def test_mariadb_gives_a_database_and_ends() -> None:
    with mariadb() as server:
        server.create("nova")
        server.create("nova")
        engine = sqlalchemy.create_engine(server.url("nova"))
        with engine.connect() as connection:
            assert connection.scalar(sqlalchemy.text("select 41 + 1")) == 42
        engine.dispose()
    assert ports.is_free(server.address, server.port)


def test_postgresql_gives_a_database_and_ends() -> None:
    with postgres() as server:
        server.create("nova")
        server.create("nova")
        engine = sqlalchemy.create_engine(server.url("nova"))
        with engine.connect() as connection:
            assert connection.scalar(sqlalchemy.text("select current_database()")) == "nova"
        engine.dispose()
    assert ports.is_free(server.address, server.port)


def test_rabbitmq_greets_a_client_and_ends(tmp_path: Path) -> None:
    node = RabbitMQ(
        directory=tmp_path, port=ports.free_port(), dist_port=ports.free_port(), epmd_port=ports.free_port()
    )
    node.prepare()
    supervisor = Supervisor(tmp_path / "run", tmp_path / "logs")
    program = node.program()
    try:
        assert supervisor.start(program)
        assert node.greets()
        assert not supervisor.start(program), "a second start finds it running"
    finally:
        supervisor.end(program)
    assert supervisor.pid("rabbitmq") is None
    assert ports.is_free(node.address, node.port)


def test_libvirt_answers_beside_another_one(tmp_path: Path) -> None:
    first, second = Libvirt(directory=tmp_path / "1"), Libvirt(directory=tmp_path / "2")
    supervisor = Supervisor(tmp_path / "run", tmp_path / "logs")
    try:
        for number, daemon in enumerate((first, second)):
            daemon.prepare()
            supervisor.start(daemon.program(f"libvirtd-{number}"))
        assert first.answers() and second.answers()
        assert first.destroy_guests() == 0
    finally:
        for name in supervisor.names():
            supervisor.stop(name)
    assert not first.answers()
