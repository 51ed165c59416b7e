"""The unit files in ``etc/systemd`` go with the console scripts and with how daemons live."""

from __future__ import annotations

import configparser
from pathlib import Path

import pytest

from nova import conf
from nova_tools.places import CHECKOUT

UNITS = sorted((CHECKOUT / "etc/systemd").glob("*.service"))
NOT_DAEMONS = {"nova-manage", "nova-status", "nova-dhcpbridge"}


def test_every_daemon_has_a_unit() -> None:
    setup = configparser.ConfigParser()
    setup.read(CHECKOUT / "setup.cfg")
    scripts = {
        line.split("=")[0].strip() for line in setup["options.entry_points"]["console_scripts"].split("\n")
    }
    assert {unit.stem for unit in UNITS} == {name for name in scripts if name} - NOT_DAEMONS


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_runs_its_daemon_and_watches_it(unit: Path) -> None:
    parser = configparser.ConfigParser(interpolation=None, strict=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(unit)
    service = parser["Service"]
    assert service["ExecStart"].split()[0] == f"/usr/bin/{unit.stem}"
    assert parser["Unit"]["AssertPathExists"] == "/etc/nova/nova.conf"
    assert service["Type"] == "notify"
    assert int(service["WatchdogSec"]) > 0
    assert int(service["TimeoutStopSec"]) > 60, "longer than graceful_shutdown_timeout"
    assert service["Restart"] == "always"


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_lets_its_daemon_read_all_files_of_options(
    unit: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nova.conf.d").mkdir()
    for name, option in (("nova.conf", "my_ip = 192.0.2.1"), (f"{unit.stem}.conf", "host = its-own")):
        (tmp_path / name).write_text(f"[DEFAULT]\n{option}\n")
    (tmp_path / "nova.conf.d/database.conf").write_text("[database]\nconnection = sqlite:////tmp/x\n")
    monkeypatch.setattr(conf, "CONFIG_FOLDER", str(tmp_path))
    parser = configparser.ConfigParser(interpolation=None, strict=True)
    parser.read(unit)
    read = conf.load(parser["Service"]["ExecStart"].split()[1:], program=unit.stem)
    assert (read.my_ip, read.host, read.database.connection) == ("192.0.2.1", "its-own", "sqlite:////tmp/x")
