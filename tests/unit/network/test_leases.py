"""The lease socket and dnsmasq's callback, as real programs."""

from __future__ import annotations

import concurrent.futures
import contextlib
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova.clock import StoppedClock
from nova.network import dhcpbridge
from nova.network.leases import LeaseEvent, LeaseListener, Leases, parse_event
from nova.objects.network import FixedIp
from tests.support.eventually import eventually


@pytest.fixture
def folder():
    # A short name: it holds a unix socket.
    with tempfile.TemporaryDirectory(prefix="nvl") as made:
        yield Path(made)


@pytest.fixture
def told():
    return []


@pytest.fixture
def leases(told):
    made = Leases(told.append, StoppedClock())
    made.learn((FixedIp(address="10.0.0.5", network_id="net", mac="aa:bb:cc:00:00:01", leased=True),))
    return made


@pytest.fixture
def listener(leases, folder):
    made = LeaseListener(leases, str(folder / "s"), lambda: [folder / "events"])
    made.start()
    yield made
    made.stop(5)


def call(folder, *words):
    program = [
        sys.executable,
        "-I",
        "-S",
        dhcpbridge.__file__,
        str(folder / "s"),
        str(folder / "events"),
        "net",
    ]
    return subprocess.run([*program, *words], capture_output=True, text=True, timeout=20)


def test_events_reach_the_agent(folder, leases, listener, told):
    woken = []
    leases.on_event = lambda: woken.append(1)
    assert call(folder, "add", "AA:BB:CC:00:00:02", "10.0.0.6", "name").returncode == 0
    assert call(folder, "old", "aa:bb:cc:00:00:02", "10.0.0.6").returncode == 0
    assert call(folder, "del", "aa:bb:cc:00:00:01", "10.0.0.5").returncode == 0
    leases.flush()
    assert told == [
        LeaseEvent("net", "aa:bb:cc:00:00:02", "10.0.0.6", True),
        LeaseEvent("net", "aa:bb:cc:00:00:01", "10.0.0.5", False),
    ]
    assert len(woken) == 2


def test_init_prints_the_living_leases(folder, listener):
    expiry = int(StoppedClock().now().timestamp()) + 86400
    assert call(folder, "init").stdout == f"{expiry} aa:bb:cc:00:00:01 10.0.0.5 * *\n"


def test_events_of_an_absent_agent_are_kept(folder, leases, listener, told):
    listener.stop(5)
    assert call(folder, "init").stdout == ""
    assert call(folder, "add", "aa:bb:cc:00:00:02", "10.0.0.6").returncode == 0
    assert call(folder, "add", "aa:bb:cc:00:00:03", "10.0.0.7").returncode == 0
    again = LeaseListener(leases, str(folder / "s"), lambda: [folder / "events"])
    again.start()
    leases.flush()
    again.stop(5)
    assert [event.address for event in told] == ["10.0.0.6", "10.0.0.7"]
    assert not (folder / "events").exists()
    assert again.read_spools() == 0


def test_wrong_calls_do_no_harm(folder, listener, told):
    assert call(folder).returncode == 2
    assert call(folder, "tftp", "1", "2").returncode == 0
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(folder / "s"))
        sock.sendall(b"x" * 5000 + b"\n")
        with contextlib.suppress(ConnectionResetError):
            assert sock.recv(100) == b""
    # a caller that never speaks holds nobody up
    with socket.socket(socket.AF_UNIX) as silent:
        silent.connect(str(folder / "s"))
        assert call(folder, "add", "aa:bb:cc:00:00:02", "10.0.0.6").returncode == 0
    assert told == []


def test_the_socket_is_closed_to_others(folder, listener):
    assert (folder / "s").stat().st_mode & 0o777 == 0o600


def test_too_long_a_name_is_refused_by_name(leases):
    with pytest.raises(ValueError, match="longer than 107"):
        LeaseListener(leases, "/tmp/" + "x" * 200, list)


def test_an_event_during_the_telling_is_not_lost(told):
    def tell(event):
        told.append(event)
        if len(told) == 1:
            leases.take(LeaseEvent("net", "aa", "10.0.0.5", False))

    leases = Leases(tell, StoppedClock())
    leases.take(LeaseEvent("net", "aa", "10.0.0.5", True))
    leases.flush()
    assert [event.leased for event in told] == [True, False]


@given(st.text())
def test_any_line_is_read(line):
    event = parse_event(line)
    assert event is None or (event.network and event.mac and event.address)


def test_many_callers_at_once(folder, leases, listener, told):
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        numbers = range(20, 40)
        codes = pool.map(lambda n: call(folder, "add", f"aa:bb:cc:00:01:{n:02x}", f"10.0.0.{n}"), numbers)
        assert {done.returncode for done in codes} == {0}
    eventually(lambda: leases.flush() is None)
    assert {event.address for event in told} == {f"10.0.0.{n}" for n in range(20, 40)}
