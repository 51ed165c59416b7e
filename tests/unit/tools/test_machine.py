from __future__ import annotations

import pytest

from nova_tools.cloud.machine import available_memory, free_range, read_routes, wanted_ports
from nova_tools.cloud.settings import Settings
from nova_tools.trouble import Trouble

ROUTES = """\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
vpn0\t0000140A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
"""


def test_routes_are_read_without_the_default() -> None:
    assert read_routes(ROUTES) == ["192.0.2.0/24", "10.20.0.0/16"]


def test_the_guests_get_a_range_that_meets_no_route() -> None:
    assert free_range([]) == "10.20.0.0/24"
    assert free_range(read_routes(ROUTES)) == "10.77.0.0/24"
    with pytest.raises(Trouble, match="--range"):
        free_range(["10.0.0.0/8"])


def test_available_memory() -> None:
    assert available_memory("MemTotal: 100 kB\nMemAvailable:   2097152 kB\n") == 2048
    assert available_memory("") == 0


def test_a_split_cloud_wants_its_brokers_ports_too() -> None:
    assert wanted_ports(Settings())["nova-all"] == 8774
    split = wanted_ports(Settings(split=True, database="postgresql"))
    assert (split["postgresql"], split["rabbitmq"], split["nova-api"]) == (5433, 5672, 8774)
    assert "mariadb" not in split
