"""From options to a driver."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from oslo_config import cfg

from nova.clock import Clock
from nova.conf import libvirt as libvirt_conf
from nova.objects.ids import HostName
from nova.virt.libvirt.driver import LibvirtDriver


def test_defaults_of_options_and_value_are_the_same() -> None:
    conf = cfg.ConfigOpts()
    libvirt_conf.register(conf)
    conf([], default_config_files=[])
    read = libvirt_conf.read(conf, Path("/var/lib/nova/instances"))
    assert msgspec.structs.asdict(read) == msgspec.structs.asdict(libvirt_conf.LibvirtConf())


def test_one_host_only() -> None:
    with pytest.raises(ValueError, match="one host, not 2"):
        LibvirtDriver.for_hosts([HostName("a"), HostName("b")], cfg.ConfigOpts(), Clock())
