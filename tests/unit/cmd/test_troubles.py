"""What an operator got wrong, or what is away, is a sentence and an exit code, never a traceback."""

from __future__ import annotations

import importlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from nova.cmd.manage.main import main as manage
from nova.cmd.status import main as status
from nova.db import migrate
from nova_tools.ports import free_port

SCHEMA = ["db sync", "db version"]
BOOKS = [
    "db check",
    "db purge",
    "doctor --books-only",
    "network create --label net --fixed-range-v4 10.0.0.0/24",
    "network delete net",
    "network list",
    "network modify net --mtu 1400",
    "service list",
    "workflow cancel w1",
    "workflow list",
    "workflow retry w1",
    "workflow show w1",
]
COMMANDS = SCHEMA + BOOKS
SERVERS = ["mysql+pymysql", "postgresql+psycopg"]
PROGRAMS = [
    "all",
    "api",
    "compute",
    "conductor",
    "consoleauth",
    "metadata",
    "network",
    "novncproxy",
    "scheduler",
]


@pytest.fixture
def conf_file(tmp_path: Path) -> Path:
    return tmp_path / "nova.conf"


def connect_to(conf_file: Path, url: str) -> None:
    conf_file.write_text(
        f"[DEFAULT]\nstate_path = {conf_file.parent}\n[database]\nconnection = {url}\n"
        f"[image]\nstore = directory\n"
    )


def told(capsys: pytest.CaptureFixture[str], conf_file: Path, command: str) -> str:
    """Return what nova-manage says of its trouble."""
    assert manage(["--config-file", str(conf_file), *command.split()]) == 1
    said = capsys.readouterr().err.strip().splitlines()
    assert said[-1].startswith("nova-manage: ")
    assert "Traceback" not in "".join(said)
    return said[-1]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("url", ["nonsense", "mysql+nothing://nova@db/nova", "oracle://nova@db/nova"])
def test_a_url_that_is_none_is_told(
    capsys: pytest.CaptureFixture[str], conf_file: Path, command: str, url: str
) -> None:
    connect_to(conf_file, url)
    assert "[database] connection is not understood" in told(capsys, conf_file, command)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("scheme", [*SERVERS, "sqlite"])
def test_a_database_that_is_away_is_told(
    capsys: pytest.CaptureFixture[str], conf_file: Path, command: str, scheme: str
) -> None:
    server = "/proc/nova.sqlite" if scheme == "sqlite" else f"nova:secret@127.0.0.1:{free_port()}/nova"
    connect_to(conf_file, f"{scheme}:///{server}" if scheme == "sqlite" else f"{scheme}://{server}")
    words = told(capsys, conf_file, command)
    assert "The database named by [database] connection does not serve" in words
    assert "secret" not in words


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Give a port that takes connections and says nothing, as a machine that stands still does."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("command", ["db sync", "service list"])
@pytest.mark.parametrize("scheme", SERVERS)
def test_a_database_that_stands_still_is_told_after_a_while(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, conf_file: Path, silent_port: int,
    command: str, scheme: str,
) -> None:  # fmt: skip
    monkeypatch.setattr(migrate, "_CONNECT_S", 2)
    connect_to(conf_file, f"{scheme}://nova:secret@127.0.0.1:{silent_port}/nova")
    with conf_file.open("a") as file:
        file.write("[database]\npool_timeout = 2\n")
    assert "The database named by [database] connection does not serve" in told(capsys, conf_file, command)


@pytest.mark.parametrize("command", BOOKS)
def test_a_database_without_schema_is_told(
    capsys: pytest.CaptureFixture[str], conf_file: Path, command: str
) -> None:
    connect_to(conf_file, f"sqlite:///{conf_file.parent}/empty.sqlite")
    assert "Run nova-manage db sync" in told(capsys, conf_file, command)


def test_nova_status_says_what_is_wrong_with_the_database(
    capsys: pytest.CaptureFixture[str], conf_file: Path
) -> None:
    connect_to(conf_file, "nonsense")
    assert status(["--config-file", str(conf_file), "upgrade", "check"]) == 2
    assert "FAILURE  schema: [database] connection is not understood" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("db purge --days -1", "'-1' is no whole number from 0 to 36500"),
        ("db purge --days 99999999", "is no whole number"),
        ("db purge --days many", "is no whole number"),
        ("doctor --wait -1", "'-1' is no number of seconds"),
        ("doctor --wait nan", "is no number of seconds"),
        ("network modify net --mtu 0", "is no whole number from 68 to 65535"),
        ("network create --label net", "--fixed-range-v4"),
        ("nonsense", "invalid choice"),
        ("db", "required"),
        ("", "required"),
    ],
)
def test_wrong_usage_is_told(capsys: pytest.CaptureFixture[str], line: str, words: str) -> None:
    with pytest.raises(SystemExit) as caught:
        manage(line.split())
    assert caught.value.code == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("secret", "it has no scheme"),
        ("rabbit://", "it names no broker"),
        ("rabbit://nova:secret@bus:port/nova", "a port is not a number"),
        ("no-such+secret://bus", "there is no messaging driver 'no-such'"),
    ],
)
def test_a_transport_url_that_is_none_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, conf_file: Path, url: str, words: str
) -> None:
    connect_to(conf_file, f"sqlite:///{conf_file.parent}/nova.sqlite")
    text = conf_file.read_text().replace("[DEFAULT]", f"[DEFAULT]\ntransport_url = {url}")
    conf_file.write_text(text)
    assert manage(["--config-file", str(conf_file), "db", "sync"]) == 0
    sentence = f"[DEFAULT] transport_url is not understood: {words}"
    assert told(capsys, conf_file, "doctor") == f"nova-manage: {sentence}"
    assert run("scheduler", monkeypatch, conf_file) == 2
    said = capsys.readouterr().err
    assert f"nova-scheduler: {sentence}.\n" in said
    assert "secret" not in said and "Traceback" not in said


@pytest.mark.parametrize("program", ["all", "conductor"])
def test_daemons_tell_of_a_database_url_that_is_none(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, conf_file: Path, program: str
) -> None:
    connect_to(conf_file, "secret")
    assert run(program, monkeypatch, conf_file) == 2
    said = capsys.readouterr().err
    assert f"nova-{program}: [database] connection is not understood: it is no URL" in said
    assert "secret" not in said and "Traceback" not in said


def run(program: str, monkeypatch: pytest.MonkeyPatch, conf_file: Path) -> int | str | None:
    monkeypatch.setattr("sys.argv", [program, "--config-file", str(conf_file)])
    with pytest.raises(SystemExit) as caught:
        importlib.import_module(f"nova.cmd.{program}").main()
    return caught.value.code


@pytest.mark.parametrize("program", PROGRAMS)
def test_options_that_cannot_be_read_are_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, conf_file: Path, program: str
) -> None:
    assert run(program, monkeypatch, conf_file) == 2
    assert (
        f"the options cannot be read: Failed to find some config files: {conf_file}."
        in capsys.readouterr().err
    )
    conf_file.write_text("no group\n")
    assert run(program, monkeypatch, conf_file) == 2
    assert "the options cannot be read: " in capsys.readouterr().err


@pytest.mark.parametrize("program", [manage, status], ids=["manage", "status"])
def test_commands_tell_of_options_too(
    capsys: pytest.CaptureFixture[str], program: object, conf_file: Path
) -> None:
    words = ["service", "list"] if program is manage else ["upgrade", "check"]
    assert callable(program)
    with pytest.raises(SystemExit) as caught:
        program(["--config-file", str(conf_file), *words])
    assert caught.value.code == 2
    assert "the options cannot be read" in capsys.readouterr().err
