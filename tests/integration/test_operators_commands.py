"""The commands of an operator, on each database: fresh, behind, ahead, busy; and with other parts away."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from nova.cmd.manage.main import main as manage
from nova.cmd.status import main as status
from nova.conf import load
from nova.db import dialects, migrate, services, workflows
from nova.db.configured import opened
from nova.errors.operating import SchemaBusy
from nova.image import probe
from nova.objects.host import ServiceBeat
from nova_tools.ports import free_port
from tests.contract.db.makers import workflow
from tests.support.databases import BACKENDS, Databases

READING = (
    "db check",
    "db purge",
    "doctor --wait 0 --books-only",
    "network list",
    "service list",
    "workflow list",
)


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    made = Databases(tmp_path_factory.mktemp("databases"))
    yield made
    made.close()


class Operator:
    """Somebody who types commands; remembers what the last one said."""

    def __init__(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.home = home
        self.conf = home / "nova.conf"
        self.out = self.err = ""
        self._capsys = capsys
        (home / "images").mkdir()

    def configure(self, url: str, *lines: str, images: str = "[image]\nstore = directory\n") -> None:
        """Write the options; ``lines`` go into ``[DEFAULT]``."""
        default = "\n".join(["[DEFAULT]", f"state_path = {self.home}", *lines])
        self.conf.write_text(f"{default}\n[database]\nconnection = {url}\n{images}")

    def types(self, line: str) -> int:
        """Run a line of nova-manage, or ``upgrade check`` of nova-status; no traceback is let through."""
        main = status if line.startswith("upgrade") else manage
        self._capsys.readouterr()
        code = main(["--config-file", str(self.conf), *line.split()])
        self.out, self.err = self._capsys.readouterr()
        return code

    def trouble(self, line: str) -> str:
        """Run a line of nova-manage that meets trouble; return its one sentence."""
        assert self.types(line) == 1
        said = self.err.splitlines()[-1]
        assert said.startswith("nova-manage: ")
        assert "Traceback" not in self.err
        return said.removeprefix("nova-manage: ")


@pytest.fixture
def operator(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Operator:
    return Operator(tmp_path, capsys)


@pytest.fixture(params=BACKENDS)
def url(request: pytest.FixtureRequest, databases: Databases, operator: Operator) -> str:
    """Return the URL of a fresh database without tables, which the operator's options name."""
    found = databases.url(request.param)
    operator.configure(found)
    return found


def execute(url: str, *statements: str) -> None:
    engine = sa.create_engine(dialects.address(url), poolclass=sa.NullPool)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))


def test_every_command_on_a_fresh_database(operator: Operator, url: str) -> None:
    assert operator.types("db version") == 1
    assert operator.out == "empty\n"
    for line in READING:
        assert "Run nova-manage db sync." in operator.trouble(line)
    assert operator.types("upgrade check") == 2
    assert "FAILURE  schema: the database is empty" in operator.out
    assert operator.types("db sync") == 0
    assert operator.out == f"The schema went from None to {migrate.head()}.\n"
    assert operator.types("network create --label net --fixed-range-v4 10.0.0.0/24") == 0
    assert operator.types("network modify net --mtu 1400") == 0
    assert operator.types("network delete net") == 0
    for line in ("db sync", "db version", *READING, "upgrade check"):
        assert operator.types(line) == 0, operator.err
        assert operator.out
    for line in ("network delete net", "network modify net --mtu 1400"):
        assert operator.trouble(line) == "Network net could not be found."
    for line in ("workflow show w1", "workflow retry w1", "workflow cancel w1"):
        assert operator.trouble(line) == "Workflow w1 could not be found."
    with opened(load([], files=[str(operator.conf)])) as db:
        running = workflow()
        db.run(lambda tx: workflows.insert(tx, [running]))
    assert operator.types("workflow list --json") == 0
    assert [entry["id"] for entry in json.loads(operator.out)] == [running.id]
    assert operator.types(f"workflow cancel {running.id}") == 0
    assert operator.trouble(f"workflow cancel {running.id}") == (
        "The workflow has ended or is being undone already."
    )


def test_a_schema_that_is_behind_or_ahead(operator: Operator, url: str) -> None:
    migrate.upgrade(url, "0001")
    assert operator.types("db version") == 1
    assert operator.out == "0001\n"
    assert operator.types("upgrade check") == 1
    assert "WARNING  schema: it is at 0001" in operator.out
    assert operator.types("db sync") == 0
    assert operator.out == f"The schema went from 0001 to {migrate.head()}.\n"
    execute(url, "ALTER TABLE services DROP COLUMN seen_at")
    assert "Run nova-manage db sync." in operator.trouble("service list")
    execute(url, "UPDATE alembic_version SET version_num = '9999'")
    assert operator.types("db version") == 1
    assert operator.types("upgrade check") == 2
    assert "FAILURE  schema: it is at 9999, that of a newer release" in operator.out
    assert "which this release does not know" in operator.trouble("db sync")


@pytest.mark.parametrize("backend", ["mariadb", "postgresql"])
def test_a_schema_that_somebody_else_changes(
    operator: Operator, databases: Databases, monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    url = databases.url(backend)
    operator.configure(url)
    monkeypatch.setattr(migrate, "LOCK_S", 1)
    engine = sa.create_engine(dialects.address(url), poolclass=sa.NullPool)
    with engine.connect() as other:
        migrate._lock(other)
        assert operator.trouble("db sync") == SchemaBusy(seconds=1).sentence()
        assert operator.types("db version") == 1, "only a change has to wait"
    assert operator.types("db sync") == 0


@pytest.mark.parametrize("backend", ["mariadb", "postgresql"])
def test_a_database_that_lets_nobody_in(operator: Operator, databases: Databases, backend: str) -> None:
    url = sa.make_url(databases.url(backend))
    for wrong in (url.set(database="nothing"), url.set(username="nobody", password="secret")):
        operator.configure(wrong.render_as_string(hide_password=False))
        for line in ("db sync", "db version", *READING):
            said = operator.trouble(line)
            assert said.startswith("The database named by [database] connection does not serve: ")
            assert "secret" not in said and "db sync" not in said
        assert operator.types("upgrade check") == 2


@pytest.mark.parametrize("broker", ["away", "standing still"])
def test_the_broker_is_missed_once_however_many_hosts_there_are(
    operator: Operator, silent_port: int, broker: str
) -> None:
    port = free_port() if broker == "away" else silent_port
    operator.configure(
        f"sqlite:///{operator.home}/nova.sqlite", f"transport_url = rabbit://nova:secret@127.0.0.1:{port}/"
    )
    with operator.conf.open("a") as file:
        file.write("[rpc]\nbroker_wait = 1\nheartbeat = 2\n")
    assert operator.types("db sync") == 0
    beats = [ServiceBeat(host=f"h{n}", binary="nova-compute", topic="compute") for n in range(200)]
    with opened(load([], files=[str(operator.conf)])) as db:
        db.run(lambda tx: services.beat(tx, beats))
    assert operator.types("doctor --wait 0 --json") == 1
    (finding,) = json.loads(operator.out)["findings"]
    assert finding["rule"] == "broker-silent"
    assert "[DEFAULT] transport_url does not answer" in finding["sentence"]
    assert operator.err == ""


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Give a port that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("keystone", ["away", "standing still", "not configured"])
def test_an_identity_service_that_does_not_answer_is_a_warning(
    operator: Operator, monkeypatch: pytest.MonkeyPatch, silent_port: int, keystone: str
) -> None:
    monkeypatch.setattr(probe, "_MOST_S", 0.5)
    port = free_port() if keystone == "away" else silent_port
    credentials = f"auth_url = http://127.0.0.1:{port}/v3\nusername = nova\npassword = secret\n"
    credentials += "project_name = service\nuser_domain_name = Default\nproject_domain_name = Default\n"
    operator.configure(
        f"sqlite:///{operator.home}/nova.sqlite",
        images="[glance]\n" + ("" if keystone == "not configured" else credentials),
    )
    assert operator.types("db sync") == 0
    assert operator.types("upgrade check") == 1
    (told,) = (line for line in operator.out.splitlines() if "images" in line)
    assert told.startswith("WARNING  images: ")
    assert ("auth_url" if keystone == "not configured" else f"127.0.0.1:{port}") in told
    assert "secret" not in operator.out + operator.err
