"""What goes wrong around us is one clear sentence with what to do; tried for real where that is cheap."""

from __future__ import annotations

import errno
import os
import random
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from nova_tools import apt, pythons
from nova_tools.api_client import ApiError
from nova_tools.cloud import cli, machine
from nova_tools.cloud.settings import Settings, store
from nova_tools.locks import only_one
from nova_tools.places import CHECKOUT
from nova_tools.ports import is_free
from nova_tools.processes import Supervisor
from nova_tools.sentences import explained
from nova_tools.trouble import Trouble
from nova_tools.waiting import wait_until

FORMS = {
    "default": Settings(),
    "split": Settings(split=True, database="mariadb"),
    "split-postgresql": Settings(split=True, database="postgresql"),
    "fake": Settings(driver="fake", hosts=20),
    "split-fake": Settings(split=True, database="mariadb", driver="fake"),
}
ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NOVA_CLOUD_HOME", str(tmp_path / "cloud"))
    monkeypatch.delenv("NOVA_INSTALLED", raising=False)
    return tmp_path / "cloud"


def told(said: str) -> str:
    """Return what a command said, which must be a sentence or two and no traceback."""
    assert "Traceback" not in said
    assert said.rstrip().endswith("."), said
    return said.strip()


def cloud(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Run ``tools/cloud`` with these words; it must fail, with a sentence."""
    assert cli.main(list(words)) == 1
    return told(capsys.readouterr().err)


def run_as(setup: str, *words: str, home: Path) -> subprocess.CompletedProcess[str]:
    """Run ``tools/cloud`` in a process of its own, after a few lines of Python."""
    script = (
        f"import os, sys\nfrom nova_tools.cloud.cli import main\n{setup}\nsys.exit(main({list(words)!r}))"
    )
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, cwd="/",
        env={**os.environ, "NOVA_CLOUD_HOME": str(home), "PYTHONPATH": str(CHECKOUT / "tools")},
    )  # fmt: skip


@ROOT
def test_who_is_not_root_is_told(home: Path) -> None:
    home.mkdir(parents=True)
    store(Settings(), home / "settings.json")
    (home / "passwords.json").write_text("{}")
    (home / "passwords.json").chmod(0o600)
    done = run_as("os.setuid(65534)", "up", home=home)
    assert done.returncode == 1
    assert "needs root" in told(done.stderr)


@ROOT
def test_a_state_directory_that_may_not_be_read_is_told(home: Path) -> None:
    home.mkdir(parents=True, mode=0o700)
    store(Settings(), home / "settings.json")
    done = run_as("os.setuid(65534)", "status", home=home)
    assert done.returncode == 1
    assert "may not read or write" in told(done.stderr)


@pytest.mark.parametrize("tool", ["cloud", "test", "torture"])
def test_an_old_python_is_told(tool: str) -> None:
    script = f"import sys; sys.version_info = (3, 9, 2, 'final', 0); exec(open('tools/{tool}').read())"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, cwd=CHECKOUT
    )
    assert done.returncode == 1
    assert "This is Python 3.9, 3.11 is needed" in told(done.stderr)


@pytest.mark.parametrize("form", FORMS)
def test_every_port_of_a_form_that_somebody_holds_is_told(form: str, tmp_path: Path) -> None:
    settings = free_ports(FORMS[form])
    supervisor = Supervisor(tmp_path / "run", tmp_path / "logs")
    machine.require_ports(settings, supervisor)
    for purpose, port in machine.wanted_ports(settings).items():
        with socket.socket() as holder:
            holder.bind(("127.0.0.1", port))
            holder.listen()
            with pytest.raises(Trouble) as caught:
                machine.require_ports(settings, supervisor)
        words = told(str(caught.value))
        assert words.startswith(f"Port {port}, wanted for {purpose}, is held by ")
        assert f"(pid {os.getpid()})" in words
        assert "NOVA_CLOUD_PORT_OFFSET" in words


def free_ports(settings: Settings) -> Settings:
    """Return the form with its ports moved to where nobody listens."""
    draw = random.Random()
    while True:
        moved = Settings(
            split=settings.split, database=settings.database, driver=settings.driver, hosts=settings.hosts,
            port_offset=draw.randrange(10_000, 30_000),
        )  # fmt: skip
        if all(is_free("127.0.0.1", port) for port in machine.wanted_ports(moved).values()):
            return moved


def test_ports_of_the_whole_form_are_looked_at() -> None:
    wanted = machine.wanted_ports(FORMS["split"])
    assert {"rabbitmq", "rabbitmq (epmd)", "mariadb", "nova-compute (health)"} <= set(wanted)
    assert len(set(wanted.values())) == len(wanted)


@ROOT
def test_a_full_disk_is_told_before_anything_is_changed(home: Path) -> None:
    home.mkdir(parents=True)
    mount = f'mount -t tmpfs -o size=1m none {home} && exec "$@"'
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", mount, "sh", sys.executable, "tools/cloud", "up"],
        capture_output=True, text=True, timeout=60, cwd=CHECKOUT,
        env={**os.environ, "NOVA_CLOUD_HOME": str(home)},
    )  # fmt: skip
    assert done.returncode == 1
    assert "MiB are free" in told(done.stderr)


def test_a_disk_that_becomes_full_is_told() -> None:
    with pytest.raises(OSError) as caught, open("/dev/full", "w") as full:
        full.write("x" * 100_000)
    assert caught.value.errno == errno.ENOSPC
    assert told(str(explained(caught.value))).startswith("The disk is full")


@ROOT
def test_a_debian_archive_out_of_reach_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("lists/partial", "cache/archives/partial", "sources.d"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "sources.list").write_text("deb [trusted=yes] http://127.0.0.1:9/debian bookworm main\n")
    (tmp_path / "apt.conf").write_text(
        f'Dir::Etc::sourcelist "{tmp_path}/sources.list";\nDir::Etc::sourceparts "{tmp_path}/sources.d";\n'
        f'Dir::State::lists "{tmp_path}/lists";\nDir::Cache "{tmp_path}/cache";\nAcquire::Retries "0";\n'
    )
    monkeypatch.setenv("APT_CONFIG", str(tmp_path / "apt.conf"))
    with pytest.raises(Trouble, match="The Debian archive cannot be reached") as caught:
        apt.refresh(tmp_path / "apt.log")
    told(str(caught.value))


@pytest.mark.parametrize(
    ("explain", "said", "words"),
    [
        (
            apt.explain,
            "E: dpkg was interrupted, you must manually run 'dpkg --configure -a'",
            "dpkg --configure",
        ),
        (apt.explain, "E: Unable to locate package qemu-system-x86", "Debian archive"),
        (pythons.explain, "Failed to establish a new connection: [Errno 111]", "package index"),
        (pythons.explain, "OSError: [Errno 28] No space left on device", "The disk is full"),
    ],
)
def test_what_installers_say_is_put_into_words(
    explain: object, said: str, words: str, tmp_path: Path
) -> None:
    failure = Trouble("it failed")
    assert callable(explain)
    found = explain(said, tmp_path / "log", failure)
    assert found is not failure
    assert words in told(str(found))


@pytest.mark.parametrize("damage", ["", "{", "[1]", '{"split": tr', '{"no_such": 1}', "\0\0"])
def test_damaged_settings_are_told_and_reset_forgets_them(
    home: Path, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    home.mkdir(parents=True)
    (home / "settings.json").write_text(damage)
    for command in ("status", "env", "down", "demo", "logs"):
        assert "settings.json is damaged" in cloud(capsys, command)
    assert cli.main(["reset"]) == 0
    assert not (home / "settings.json").exists()


@pytest.mark.parametrize("damage", ["", "{", "[1]", "\0\0"])
def test_damaged_passwords_are_told_and_reset_forgets_them(
    home: Path, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    store(Settings(), home / "settings.json")
    (home / "passwords.json").write_text(damage)
    for command in ("status", "env", "demo"):
        assert "passwords.json is damaged" in cloud(capsys, command)
    assert cli.main(["reset"]) == 0
    assert not (home / "passwords.json").exists()


def test_a_cloud_that_is_not_there_is_told(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("status", "env", "down", "demo", "logs"):
        assert f"There is no cloud in {home}" in cloud(capsys, command)


def test_services_that_do_not_answer_are_told(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store(free_ports(Settings(driver="fake")), home / "settings.json")
    assert "does not answer" in cloud(capsys, "demo")


def test_an_answer_that_is_an_error_is_told() -> None:
    body = '{"forbidden": {"code": 403, "message": "Quota exceeded for cores"}}'
    words = told(str(explained(ApiError("POST", "http://127.0.0.1:8774/v2.1/servers", 403, body))))
    assert "was answered with 403: Quota exceeded for cores" in words
    assert "it does not say why" in str(explained(ApiError("GET", "http://x", 502, "")))


@pytest.mark.parametrize(
    "words",
    [["--split"], ["--driver", "fake"], ["--split", "--database", "postgresql"]],
    ids=["split", "fake", "postgresql"],
)
def test_another_form_than_the_one_that_stands_is_told(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    monkeypatch.setattr(machine, "require_root", lambda: None)
    monkeypatch.setattr(machine, "require_fit", lambda *_, **__: None)
    store(Settings(guest_range="10.20.0.0/24"), home / "settings.json")
    assert "A cloud of another form stands here" in cloud(capsys, "up", *words)


def test_several_hosts_need_the_fake_driver(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "require_root", lambda: None)
    monkeypatch.setattr(machine, "require_fit", lambda *_, **__: None)
    assert "Add --driver fake" in cloud(capsys, "up", "--hosts", "3")
    monkeypatch.setenv("NOVA_CLOUD_PORT_OFFSET", "many")
    assert "NOVA_CLOUD_PORT_OFFSET is 'many'" in cloud(capsys, "up")


def test_who_waits_for_another_command_is_told_once(tmp_path: Path) -> None:
    said: list[str] = []
    done = threading.Event()

    def second() -> None:
        with only_one(tmp_path / "lock", said.append):
            done.set()

    with ExitStack() as stack:
        stack.enter_context(only_one(tmp_path / "lock"))
        thread = threading.Thread(target=second)
        thread.start()
        assert wait_until(lambda: bool(said), 30)
        assert not done.is_set()
    thread.join(30)
    assert done.is_set()
    assert len(said) == 1
    assert "Another command is at work here" in said[0]
