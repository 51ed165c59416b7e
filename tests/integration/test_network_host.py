"""nova-network on a real host: namespaces, bridges, dnsmasq, nftables, and guests that ask by DHCP."""

from __future__ import annotations

import http.client
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import msgspec
import pytest

from nova.objects.network import FixedIp, Network, NetworkState, Topology
from tests.support import netns
from tests.support.eventually import eventually

pytestmark = [
    pytest.mark.skipif(not netns.CAN_MAKE, reason="network namespaces need root"),
    pytest.mark.skipif(shutil.which("dnsmasq") is None, reason="dnsmasq is not installed"),
    pytest.mark.skipif(shutil.which("busybox") is None, reason="busybox is not installed"),
]

NETWORK_ID = "0a2f1cb2-6b3e-4a57-9f0e-0d3f1a1b2c3d"
BRIDGE = "br100"
INTERNET = "203.0.113.9"
NETWORK = Network(
    id=NETWORK_ID,
    label="private",
    cidr="10.11.0.0/24",
    gateway="10.11.0.1",
    dhcp_server="10.11.0.1",
    bridge=BRIDGE,
    mtu=1442,
    topology=Topology.FLAT_DHCP,
)

UDHCPC_SCRIPT = """#!/bin/sh
case "$1" in
deconfig) ip addr flush dev $interface; ip link set $interface up;;
bound|renew)
    ip addr flush dev $interface
    ip addr add $ip/$subnet dev $interface
    [ -n "$router" ] && ip route replace default via $router dev $interface
    [ -n "$mtu" ] && ip link set $interface mtu $mtu
    env > {env};;
esac
exit 0
"""


def fixed(number: int, mac: str, **more) -> FixedIp:
    return FixedIp(
        address=f"10.11.0.{number}", network_id=NETWORK_ID, mac=mac, hostname=f"guest-{number}", **more
    )


class Host:
    """A machine with nova-network on it, and a namespace that plays the internet."""

    def __init__(self, mode: str, folder: Path) -> None:
        self.mode = mode
        self.folder = folder
        self.space = netns.Namespace("host")
        self.internet = netns.Namespace("inet")
        self.said: list[dict] = []
        self._process: subprocess.Popen[str] | None = None
        self._guests: list[Guest] = []

    def __enter__(self) -> Host:
        self.space.make()
        self.internet.make()
        netns.cable(self.space, "uplink", self.internet, "eth0")
        self.space.ip("addr", "add", "203.0.113.1/24", "dev", "uplink")
        self.internet.ip("addr", "add", f"{INTERNET}/24", "dev", "eth0")
        return self

    def __exit__(self, *_: object) -> None:
        self.stop(kill=True)
        for guest in self._guests:
            guest.space.remove()
        self.internet.remove()
        self.space.remove()

    def truth(self, *held: FixedIp, networks: tuple[Network, ...] = (NETWORK,)) -> None:
        state = NetworkState(networks=networks, fixed_ips=held)
        beside = self.folder / "truth.new"
        beside.write_bytes(msgspec.json.encode(state))
        os.replace(beside, self.folder / "truth.json")

    def start(self, **options: str) -> None:
        words = [f"{k}={v}" for k, v in {"dnsmasq_user": "root", **options}.items()]
        log = os.open(self.folder / "log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._process = self.space.popen(
            *(sys.executable, "-W", "ignore", "-m", "tests.support.network_host", str(self.folder), *words),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env={**os.environ, "NOVA_CONCURRENCY": self.mode, "PYTHONPATH": os.getcwd()},
        )
        os.close(log)
        threading.Thread(target=self._read, args=(self._process,), daemon=True).start()
        self.expect(lambda fact: "ready" in fact, within_s=30)

    def _read(self, process: subprocess.Popen[str]) -> None:
        for line in process.stdout:
            self.said.append(json.loads(line))

    def expect(self, matches, *, within_s: float = 15) -> dict:
        try:
            return eventually(lambda: next(filter(matches, self.said), None), within_s=within_s)
        except AssertionError:
            log = (self.folder / "log").read_text()[-4000:]
            raise AssertionError(f"not said among {self.said}; log: {log}") from None

    def tell(self, line: str) -> None:
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def stop(self, *, kill: bool = False) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if kill:
            process.kill()
        else:
            process.stdin.write("stop\n")
            process.stdin.flush()
        process.wait(20)

    def dnsmasq(self) -> int | None:
        """Return the pid of the network's dnsmasq, if it lives."""
        try:
            pid = int((self.folder / "networks" / NETWORK_ID / "pid").read_text())
            if b"dnsmasq" in Path(f"/proc/{pid}/cmdline").read_bytes():
                return pid
        except (OSError, ValueError):
            pass
        return None

    def guest(self, mac: str) -> Guest:
        made = Guest(self, mac, len(self._guests))
        self._guests.append(made)
        return made

    def rules(self) -> str:
        return self.space.run("nft", "list", "ruleset").stdout


class Guest:
    """A namespace with one interface that hangs on the bridge."""

    def __init__(self, host: Host, mac: str, number: int) -> None:
        self.host = host
        self.mac = mac
        self.space = netns.Namespace(f"guest{number}")
        self.space.make()
        self._tap = f"tap{number}"
        self._env = host.folder / f"guest{number}.env"
        self._script = host.folder / f"guest{number}.sh"
        self._script.write_text(UDHCPC_SCRIPT.replace("{env}", str(self._env)))
        self._script.chmod(0o755)
        netns.cable(host.space, self._tap, self.space, "eth0")
        self.space.ip("link", "set", "eth0", "address", mac)
        self.plug()

    def plug(self) -> None:
        self.host.space.ip("link", "set", self._tap, "master", BRIDGE)

    def ask(self, *, tries: int = 20) -> dict[str, str] | None:
        """Ask for an address; return what the lease says, none without one."""
        done = self.space.run(
            *("busybox", "udhcpc", "-f", "-q", "-n", "-t", str(tries), "-T", "1", "-A", "1"),
            *("-i", "eth0", "-O", "mtu", "-s", str(self._script)),
            check=False,
            timeout=40,
        )
        if done.returncode:
            return None
        return dict(line.split("=", 1) for line in self._env.read_text().splitlines() if "=" in line)

    def resolve(self, name: str) -> str:
        """Ask our DNS server for a name; return what ``nslookup`` says."""
        return self.space.run("busybox", "nslookup", name, "10.11.0.1", check=False).stdout

    def metadata(
        self, path: str, *, source: str = "", at: tuple[str, int] = ("169.254.169.254", 80), **headers: str
    ) -> tuple[int, str] | None:
        """Ask for metadata; return status and text, none when no connection comes to be."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}

        def ask() -> tuple[int, str] | None:
            connection = http.client.HTTPConnection(*at, timeout=1.5, source_address=(source, 0))
            try:
                connection.request("GET", path, headers=given)
                answer = connection.getresponse()
                return answer.status, answer.read().decode()
            except TimeoutError:
                return None
            finally:
                connection.close()

        return self.space.inside(ask)

    def ping(self, address: str, source: str | None = None) -> bool:
        words = ["-I", source] if source else []
        return self.space.run("busybox", "ping", "-c1", "-W1", *words, address, check=False).returncode == 0


@pytest.fixture(params=["threading", "eventlet"])
def host(request):
    # A short name: the lease socket lies below.
    with tempfile.TemporaryDirectory(prefix="nvn") as folder, Host(request.param, Path(folder)) as made:
        yield made


ALICE, BOB = "fa:16:3e:00:00:0a", "fa:16:3e:00:00:0b"


def test_a_guest_gets_its_address_and_reaches_the_world(host):
    host.truth(fixed(5, ALICE), networks=(msgspec.structs.replace(NETWORK, dns=(INTERNET,)),))
    host.start()
    host.tell(f"jobs 1 {NETWORK_ID}")
    host.expect(lambda fact: fact.get("verdict") == "done")

    alice = host.guest(ALICE)
    lease = alice.ask()
    assert lease["ip"] == "10.11.0.5"
    assert lease["router"] == lease["serverid"] == lease["dns"] == "10.11.0.1"
    assert (lease["hostname"], lease["domain"], lease["mtu"]) == ("guest-5", "novalocal", "1442")
    told = host.expect(lambda fact: fact.get("address") == "10.11.0.5")
    assert (told["mac"], told["leased"], told["host"]) == (ALICE, True, "net1")

    assert seen_source(host.internet, alice.space) == "203.0.113.1"

    # names: of guests from dnsmasq itself, of others from where the operator says
    host.internet.run(
        *("dnsmasq", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--user=root", "--pid-file="),
        *(f"--listen-address={INTERNET}", "--bind-interfaces", "--address=/example.test/192.0.2.80"),
    )
    assert "10.11.0.5" in alice.resolve("guest-5.novalocal")
    assert "192.0.2.80" in alice.resolve("www.example.test")

    # strangers are not answered at all
    assert host.guest("fa:16:3e:00:00:0c").ask(tries=1) is None


def test_a_guest_is_told_of_itself_and_nobody_else_is(host):
    host.truth(fixed(5, ALICE), fixed(6, BOB))
    host.start()
    eventually(host.dnsmasq)
    alice, bob = host.guest(ALICE), host.guest(BOB)
    assert (alice.ask()["ip"], bob.ask()["ip"]) == ("10.11.0.5", "10.11.0.6")
    assert alice.metadata("/latest/meta-data/local-ipv4") == (200, "10.11.0.5")
    assert bob.metadata("/openstack/latest/meta_data.json")[1].startswith('{"uuid": "10-11-0-6"')
    assert alice.metadata("/latest/meta-data/local-ipv4", x_forwarded_for="10.11.0.6")[0] == 403

    # with another's address, or with one that nobody holds, no connection comes to be
    for address in ("10.11.0.6", "10.11.0.77"):
        alice.space.ip("addr", "add", f"{address}/24", "dev", "eth0")
        assert alice.metadata("/latest/meta-data/local-ipv4", source=address) is None
    assert alice.metadata("/latest/meta-data/local-ipv4", source="10.11.0.6", at=("10.11.0.1", 8775)) is None
    assert alice.metadata("/latest/meta-data/local-ipv4", source="10.11.0.5") == (200, "10.11.0.5")

    # a guest that opens connections without end does not take the service away from others
    hoard = alice.space.inside(lambda: hold_open("169.254.169.254", 80, 80))
    assert 40 <= len(hoard) <= 70
    assert bob.metadata("/latest/meta-data/local-ipv4") == (200, "10.11.0.6")
    for connection in hoard:
        connection.close()


def test_guests_keep_their_addresses_among_themselves(host):
    other = msgspec.structs.replace(
        NETWORK,
        id="other",
        label="other",
        cidr="10.12.0.0/24",
        gateway="10.12.0.1",
        dhcp_server="10.12.0.1",
        bridge="br200",
    )
    bob_fixed = FixedIp(address="10.12.0.7", network_id="other", mac=BOB)
    host.truth(fixed(5, ALICE), bob_fixed, networks=(NETWORK, other))
    host.start()
    eventually(lambda: "masquerade" in host.rules() and host.dnsmasq())
    alice, bob = host.guest(ALICE), host.guest(BOB)
    host.space.ip("link", "set", bob._tap, "master", "br200")
    assert (alice.ask()["ip"], bob.ask()["ip"]) == ("10.11.0.5", "10.12.0.7")
    assert seen_source(bob.space, alice.space, address="10.12.0.7") == "10.11.0.5"

    # a source that is not of the guest's own network goes nowhere
    alice.space.ip("addr", "add", "10.99.0.5/32", "dev", "eth0")
    bob.space.ip("route", "replace", "10.99.0.5/32", "via", "10.12.0.1")
    assert alice.ping("10.12.0.7")
    assert not alice.ping("10.12.0.7", source="10.99.0.5")


def test_an_address_goes_to_its_next_owner_at_once(host):
    host.truth(fixed(5, ALICE))
    # the user dnsmasq becomes must read what we write later
    host.folder.chmod(0o755)
    host.start(dnsmasq_user="nobody")
    eventually(host.dnsmasq)
    assert host.guest(ALICE).ask()["ip"] == "10.11.0.5"
    host.expect(lambda fact: fact.get("leased") is True)
    first = host.dnsmasq()
    assert Path(f"/proc/{first}").stat().st_uid == pwd.getpwnam("nobody").pw_uid
    host.truth(fixed(5, BOB))
    host.tell(f"jobs 1 {NETWORK_ID}")
    host.expect(lambda fact: fact.get("verdict") == "done")
    given_back = host.expect(lambda fact: fact.get("leased") is False)
    assert (given_back["address"], given_back["mac"]) == ("10.11.0.5", ALICE)
    assert host.guest(BOB).ask()["ip"] == "10.11.0.5"
    assert host.dnsmasq() == first


def test_jobs_that_come_together_are_done_together(host):
    host.truth()
    host.start()
    eventually(host.dnsmasq)
    host.truth(*(fixed(n, f"fa:16:3e:00:01:{n:02x}") for n in range(5, 205)))
    host.tell(f"jobs 100 {NETWORK_ID}")
    eventually(lambda: len([f for f in host.said if f.get("verdict") == "done"]) == 100)
    sent = next(f for f in host.said if "sent" in f)["at"]
    last = max(f["at"] for f in host.said if f.get("verdict"))
    # tens of milliseconds on a machine with nothing else to do
    assert last - sent < 2.0
    assert len((host.folder / "networks" / NETWORK_ID / "hosts").read_text().splitlines()) == 200


def test_whatever_is_broken_is_healed(host):
    host.truth(fixed(5, ALICE, leased=True))
    host.start(heal_interval="0.3")
    alice = host.guest(ALICE) if eventually(host.dnsmasq) else None
    assert alice.ask()["ip"] == "10.11.0.5"

    os.kill(host.dnsmasq(), signal.SIGKILL)
    eventually(host.dnsmasq)
    assert alice.ask()["ip"] == "10.11.0.5"

    host.space.run("nft", "flush", "ruleset")
    eventually(lambda: "masquerade" in host.rules())
    assert seen_source(host.internet, alice.space) == "203.0.113.1"

    before = host.dnsmasq()
    host.space.ip("link", "del", BRIDGE)
    eventually(lambda: host.dnsmasq() not in (None, before))
    alice.plug()
    assert alice.ask()["ip"] == "10.11.0.5"

    host.space.ip("addr", "del", "10.11.0.1/24", "dev", BRIDGE)
    eventually(lambda: "10.11.0.1/24" in host.space.ip("addr", "show", "dev", BRIDGE))


def test_guests_keep_their_network_while_the_agent_is_away_and_no_event_is_lost(host):
    host.truth(fixed(5, ALICE), fixed(6, BOB))
    host.start()
    eventually(host.dnsmasq)
    alice, bob = host.guest(ALICE), host.guest(BOB)
    assert alice.ask()["ip"] == "10.11.0.5"
    host.expect(lambda fact: fact.get("address") == "10.11.0.5")
    server = host.dnsmasq()
    host.stop()

    assert host.dnsmasq() == server
    assert seen_source(host.internet, alice.space) == "203.0.113.1"
    assert bob.ask()["ip"] == "10.11.0.6"
    assert not [f for f in host.said if f.get("address") == "10.11.0.6"]

    host.start()
    assert host.expect(lambda fact: fact.get("address") == "10.11.0.6")["leased"] is True
    eventually(lambda: host.dnsmasq() == server)
    host.said.clear()

    # a network that is no longer this host's leaves nothing behind
    host.truth(networks=())
    alice.space.remove()
    bob.space.remove()
    host.tell("heal")
    eventually(lambda: host.dnsmasq() is None and "nova-network" not in host.rules())
    eventually(lambda: BRIDGE not in host.space.ip("link"))
    eventually(lambda: "169.254.169.254" not in host.space.ip("addr"))


def hold_open(address: str, port: int, number: int) -> list[socket.socket]:
    """Open connections and say nothing; return those that came to be."""
    made = []
    for _ in range(number):
        connection = socket.socket()
        connection.settimeout(0.1)
        try:
            connection.connect((address, port))
            made.append(connection)
        except OSError:
            connection.close()
    return made


def seen_source(server: netns.Namespace, client: netns.Namespace, address: str = INTERNET) -> str:
    """Connect from one namespace to another and return the address the client came from."""

    def listen() -> socket.socket:
        made = socket.socket()
        made.bind((address, 0))
        made.listen(1)
        made.settimeout(10)
        return made

    listener = server.inside(listen)

    def connect() -> None:
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(listener.getsockname(), timeout=3).close()
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise

    with listener:
        client.inside(connect)
        connection, peer = listener.accept()
        connection.close()
    return peer[0]
