"""What an operator got wrong, or what is away, is a sentence and an exit code, never a traceback."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from nova.cmd.manage.main import main as manage
from nova.cmd.status import main as status
from nova_tools.ports import free_port

COMMANDS = ["db sync", "db version", "db check", "service list", "workflow list", "network list"]
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


@pytest.mark.parametrize("command", ["db sync", "db version"])
@pytest.mark.parametrize("scheme", ["mysql+pymysql", "postgresql+psycopg", "sqlite"])
def test_a_database_that_is_away_is_told(
    capsys: pytest.CaptureFixture[str], conf_file: Path, command: str, scheme: str
) -> None:
    server = "/proc/nova.sqlite" if scheme == "sqlite" else f"nova:secret@127.0.0.1:{free_port()}/nova"
    connect_to(conf_file, f"{scheme}:///{server}" if scheme == "sqlite" else f"{scheme}://{server}")
    words = told(capsys, conf_file, command)
    assert "The database named by [database] connection does not serve" in words
    assert "secret" not in words


@pytest.mark.parametrize("command", ["db check", "service list", "workflow list", "network list"])
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
