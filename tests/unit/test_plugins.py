"""Filters and drivers of others, out of installed packages."""

from __future__ import annotations

import pathlib

import pytest
from stevedore.extension import ExtensionManager

from nova.clock import StoppedClock
from nova.conf.scheduler import SchedulerOptions
from nova.errors.virt import HypervisorUnavailable
from nova.plugins import plugin
from nova.scheduler.registry import UnknownPlugin, load_filters
from nova.virt.registry import make_drivers

CODE = """
from nova.scheduler.filters.all_hosts import AllHostsFilter

class OddHosts(AllHostsFilter):
    name = "OddHosts"

class Driver:
    @classmethod
    def for_hosts(cls, hosts, conf, clock):
        return [f"driver of {host}" for host in hosts]
"""
POINTS = """
[nova.scheduler.filters]
OddHosts = odd_package:OddHosts
Broken = odd_package:Missing
NotOne = odd_package:Driver

[nova.virt.drivers]
odd = odd_package:Driver
"""


@pytest.fixture(autouse=True)
def installed(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package as pip leaves it."""
    (tmp_path / "odd_package.py").write_text(CODE)
    facts = tmp_path / "odd_package-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: odd-package\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text(POINTS)
    monkeypatch.syspath_prepend(str(tmp_path))
    # A process finds packages once; tests before this one may have looked.
    monkeypatch.setattr(ExtensionManager, "ENTRY_POINT_CACHE", {})


def test_a_filter_of_a_package_is_enabled_by_its_name() -> None:
    chosen = load_filters(SchedulerOptions(enabled_filters=("OddHosts",)))
    assert [type(one).__module__ for one in chosen][-1] == "odd_package"


@pytest.mark.parametrize(
    ("name", "words"),
    [("Broken", "cannot be loaded"), ("NotOne", "not a Filter"), ("Nobody", "no entry point")],
)
def test_what_is_no_filter_is_said(name: str, words: str) -> None:
    with pytest.raises(UnknownPlugin, match=words):
        load_filters(SchedulerOptions(enabled_filters=(name,)))


def test_a_driver_of_a_package_is_made_by_its_name() -> None:
    assert make_drivers("odd", ["h1"], None, StoppedClock()) == {"h1": "driver of h1"}
    with pytest.raises(HypervisorUnavailable, match=r"no entry point even.*fake, libvirt"):
        make_drivers("even", ["h1"], None, StoppedClock())


def test_our_own_are_there_for_others_too() -> None:
    with pytest.raises(ImportError, match="no entry point none"):
        plugin("nova.virt.drivers", "none")
