from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from nova_tools.cloud import show
from nova_tools.cloud.parts import Cloud
from nova_tools.cloud.settings import Settings
from nova_tools.places import Places
from nova_tools.trouble import Trouble


@pytest.fixture
def cloud(tmp_path: Path) -> Cloud:
    return Cloud(Places(tmp_path, tmp_path / "installed"), Settings(split=True, database="mariadb"))


def test_status_lists_every_daemon(cloud: Cloud) -> None:
    text, well = show.status(cloud, as_json=True)
    facts = json.loads(text)
    assert (well, facts["healthy"]) == (False, False)
    names = {daemon["name"] for daemon in facts["daemons"]}
    assert {"keystone", "glance", "rabbitmq", "mariadb", "libvirtd", "nova-api", "nova-conductor"} <= names
    assert {daemon["health"] for daemon in facts["daemons"]} == {"stopped"}
    table, _ = show.status(cloud, as_json=False)
    assert table.splitlines()[0].split() == ["name", "pid", "health", "port"]


def test_the_printed_environment_is_read_by_a_shell(cloud: Cloud) -> None:
    text = show.exports(cloud, "demo")
    said = subprocess.run(
        ["sh", "-c", f'{text}\necho "$OS_USERNAME $OS_PROJECT_NAME $OS_AUTH_URL"'],
        capture_output=True, text=True, check=True, timeout=10,
    )  # fmt: skip
    assert said.stdout == "demo demo http://127.0.0.1:5000/v3\n"
    assert "OS_PROJECT_NAME=admin" in show.exports(cloud, "admin")
    with pytest.raises(Trouble, match="no account 'nobody'"):
        show.exports(cloud, "nobody")


def test_a_log_that_is_not_there_is_told(cloud: Cloud) -> None:
    with pytest.raises(Trouble, match="no log of 'nova-api'"):
        show.logs(cloud, "nova-api", 10, follow=False)


def test_the_end_of_a_log_is_printed(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    cloud.places.logs.mkdir(parents=True)
    (cloud.places.logs / "nova-api.log").write_text("one\ntwo\nthree\n")
    assert show.logs(cloud, "nova-api", 2, follow=False) == 0
    assert capsys.readouterr().out == "two\nthree\n"
