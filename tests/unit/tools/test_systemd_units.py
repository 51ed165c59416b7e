"""The unit files in ``etc/systemd`` go with the console scripts and with how daemons live."""

from __future__ import annotations

import configparser
from pathlib import Path

import pytest

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
    assert service["ExecStart"].startswith(f"/usr/bin/{unit.stem} ")
    assert service["Type"] == "notify"
    assert int(service["WatchdogSec"]) > 0
    assert int(service["TimeoutStopSec"]) > 60, "longer than graceful_shutdown_timeout"
    assert service["Restart"] == "always"
