from __future__ import annotations

import configparser
from pathlib import Path

import pytest

from nova_tools import nova_conf
from nova_tools.cloud import parts
from nova_tools.cloud.parts import Cloud
from nova_tools.cloud.settings import Settings
from nova_tools.places import Places


def written(tmp_path: Path, settings: Settings) -> configparser.ConfigParser:
    cloud = Cloud(Places(tmp_path, tmp_path / "installed"), settings)
    cloud.write_conf()
    assert cloud.conf_file.stat().st_mode & 0o077 == 0, "it holds passwords"
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(cloud.conf_file)
    return parser


def test_the_default_form(tmp_path: Path) -> None:
    conf = written(tmp_path, Settings())
    assert conf["DEFAULT"]["transport_url"].startswith("memory://")
    assert conf["database"]["connection"] == f"sqlite:///{tmp_path}/nova/nova.sqlite"
    assert conf["DEFAULT"]["compute_driver"] == "libvirt"
    assert conf["libvirt"]["connection_uri"].startswith("qemu+unix:///system?socket=")
    assert conf["keystone_authtoken"]["username"] == "nova"
    assert "fake" not in conf


@pytest.mark.parametrize(
    ("database", "scheme"), [("mariadb", "mysql+pymysql://"), ("postgresql", "postgresql+psycopg://")]
)
def test_a_split_form(tmp_path: Path, database: str, scheme: str) -> None:
    conf = written(tmp_path, Settings(split=True, database=database, port_offset=100))
    assert conf["DEFAULT"]["transport_url"] == "rabbit://guest:guest@127.0.0.1:5772/"
    assert conf["database"]["connection"].startswith(scheme)
    assert conf["wsgi"]["api_listen_port"] == "8874"


def test_fake_hosts(tmp_path: Path) -> None:
    conf = written(tmp_path, Settings(driver="fake", hosts=50))
    assert conf["DEFAULT"]["compute_driver"] == "fake"
    assert conf["fake"]["hosts"] == "50"
    assert "libvirt" not in conf


def test_health_ports_differ() -> None:
    ports = nova_conf.health_ports(Settings())
    assert len(set(ports.values())) == len(ports) == len(nova_conf.DAEMONS) + 1


def test_a_dollar_sign_is_no_reference() -> None:
    assert nova_conf.render({"a": {"password": "x$y"}}) == "[a]\npassword = x$$y\n"


def test_passwords_are_drawn_once(tmp_path: Path) -> None:
    first = Cloud(Places(tmp_path, tmp_path), Settings()).passwords
    assert Cloud(Places(tmp_path, tmp_path), Settings()).passwords == first
    assert len(set(first.values())) == len(first)
    assert (tmp_path / "passwords.json").stat().st_mode & 0o077 == 0


def test_daemons_are_started_anew_for_changed_code_and_options(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = tmp_path / "nova" / "api" / "server.py"
    code.parent.mkdir(parents=True)
    code.write_text("ANSWER = 41")
    monkeypatch.setattr(parts, "CHECKOUT", tmp_path)
    cloud = Cloud(Places(tmp_path, tmp_path), Settings(split=True))

    def runs_on() -> set[str]:
        return {program.runs_on for program in cloud.nova_programs()}

    cloud.write_conf()
    before = runs_on()
    cloud.write_conf()
    assert runs_on() == before and len(before) == 1
    (cloud.own_options / "mine.conf").write_text("[DEFAULT]\ncpu_allocation_ratio = 2.0\n")
    after = runs_on()
    assert after.isdisjoint(before)
    code.write_text("ANSWER = 42")
    assert runs_on().isdisjoint(before | after)
