"""The metadata service against guests that lie, flood, dawdle and are led astray.

It listens on the loopback network, all of whose addresses are this machine's: guests are connections from
``127.0.0.x``.  Served by both HTTP servers.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nova_tools import ports
from tests.security.raw_http import RawAnswer, parsed
from tests.support.cloud import eventually

HERE = Path(__file__).with_name("metadata_guests.py")
SECRET = "of the proxy"
ONE, TWO, THREE = "127.0.0.11", "127.0.0.12", "127.0.0.13"
"""Guests that are known; each is told its own address as its name."""
STRANGER, PROXY = "127.0.0.99", "127.0.0.50"
UUIDS = {guest: f"11111111-1111-4111-8111-0000000000{guest[-2:]}" for guest in (ONE, TWO, THREE)}
NAME = "/latest/meta-data/local-ipv4"
PATIENCE_S = 20.0


class Service:
    """A running metadata service."""

    def __init__(self, port: int) -> None:
        self.port = port

    def connect(self, guest: str) -> socket.socket:
        """Open a connection from a guest's address."""
        return socket.create_connection(("127.0.0.1", self.port), PATIENCE_S, source_address=(guest, 0))

    def say(self, guest: str, data: bytes) -> list[RawAnswer]:
        """Send bytes; return every answer until the service hangs up."""
        received = b""
        with self.connect(guest) as connection:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(data)
            with contextlib.suppress(ConnectionResetError):
                while part := connection.recv(65536):
                    received += part
        return parsed(received)

    def ask(self, guest: str, path: str = NAME, **headers: str) -> RawAnswer:
        """Ask as a guest; a header's underscores are dashes."""
        (answer,) = self._asked(guest, path, headers)
        return answer

    def told(self, guest: str, **headers: str) -> str:
        """Return whom the service takes somebody for; empty if it tells nothing, or hangs up."""
        answers = self._asked(guest, NAME, headers)
        return answers[0].body.decode() if answers and answers[0].status == 200 else ""

    def _asked(self, guest: str, path: str, headers: dict[str, str]) -> list[RawAnswer]:
        return self.say(guest, request(path, *((k.replace("_", "-"), v) for k, v in headers.items())))


def request(path: str, *headers: tuple[str, str]) -> bytes:
    rows = [("Host", "169.254.169.254"), ("Connection", "close")]
    rows = [row for row in rows if row[0] not in dict(headers)] + list(headers)
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in rows), "", ""]
    return "\r\n".join(lines).encode("latin-1")


@contextlib.contextmanager
def served(mode: str, **options: Any) -> Iterator[Service]:
    """Run the service in a process of its own, on the threads of a mode."""
    port = ports.free_port()
    words = [f"{name}={value}" for name, value in options.items()]
    process = subprocess.Popen(
        [sys.executable, str(HERE), mode, str(port), *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        yield Service(port)
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


MODES = ("eventlet", "threading")


@pytest.fixture(scope="module", params=MODES)
def plain(request: pytest.FixtureRequest) -> Iterator[Service]:
    """As most clouds run it: guests by their source addresses, nobody forwards."""
    with served(request.param) as service:
        yield service


@pytest.fixture(scope="module", params=MODES)
def forwarded(request: pytest.FixtureRequest) -> Iterator[Service]:
    """Behind a proxy of the operator."""
    with served(request.param, use_forwarded_for="yes", trusted_proxies=PROXY) as service:
        yield service


@pytest.fixture(scope="module", params=MODES)
def signed(request: pytest.FixtureRequest) -> Iterator[Service]:
    """Behind a proxy that signs."""
    with served(request.param, signed="yes", secret=SECRET) as service:
        yield service


def test_guests_are_told_of_themselves_and_strangers_nothing(plain: Service) -> None:
    assert [plain.told(guest) for guest in (ONE, TWO)] == [ONE, TWO]
    assert plain.ask(STRANGER).status == 404


FORGED = [
    {"X_Forwarded_For": TWO},
    {"X_Forwarded_For": f"{TWO}, {ONE}"},
    {"X_Forwarded_For": "127.0.0.1"},
    {"X_Forwarded_For": ""},
    {"x_forwarded_for": TWO},
    {"X_Instance_ID": UUIDS[TWO]},
    {"X_Instance_ID": UUIDS[TWO], "X_Tenant_ID": "p", "X_Instance_ID_Signature": "0" * 64},
    {"X_Real_IP": TWO, "Forwarded": f"for={TWO}", "X_Client_IP": TWO, "Client_IP": TWO},
    {"Remote_Addr": TWO, "X_Remote_Addr": TWO, "Via": f"1.1 {TWO}"},
]


@pytest.mark.parametrize("headers", FORGED, ids=str)
def test_no_header_makes_a_guest_another(plain: Service, headers: dict[str, str]) -> None:
    assert plain.told(ONE, **headers) in ("", ONE)
    assert plain.told(STRANGER, **headers) == ""


@pytest.mark.parametrize("name", ["X_Forwarded_For", "X_Instance_ID", "REMOTE_ADDR"])
def test_underscores_are_no_way_around(plain: Service, name: str) -> None:
    """WSGI has one spelling for both: ``X_Forwarded_For`` must not slip past what looks for dashes."""
    data = request(NAME, (name, TWO))
    assert [a.body.decode() for a in plain.say(ONE, data) if a.status == 200] in ([], [ONE])


def test_only_the_operators_proxy_says_for_whom_it_asks(forwarded: Service) -> None:
    assert forwarded.told(PROXY, X_Forwarded_For=TWO) == TWO
    assert forwarded.told(PROXY, X_Forwarded_For=f"{ONE}, {TWO}") == TWO, "what a guest wrote comes first"
    assert forwarded.told(PROXY, X_Forwarded_For=f"{ONE}, {PROXY}") == ONE
    assert forwarded.told(ONE, X_Forwarded_For=TWO) == ""
    assert forwarded.told(ONE) == ONE
    assert forwarded.ask(PROXY, X_Forwarded_For="nonsense").status == 400


def proof(instance: str, **changes: str) -> dict[str, str]:
    signature = hmac.new(SECRET.encode(), instance.encode(), hashlib.sha256).hexdigest()
    return {
        "X_Instance_ID": instance,
        "X_Tenant_ID": "project",
        "X_Instance_ID_Signature": signature,
    } | changes


def test_a_signature_proves_one_instance_of_one_project(signed: Service) -> None:
    assert signed.told(PROXY, **proof(UUIDS[TWO])) == TWO
    for changes in (
        {"X_Instance_ID": UUIDS[ONE]},
        {"X_Instance_ID_Signature": "0" * 64},
        {"X_Instance_ID_Signature": ""},
        {"X_Instance_ID_Signature": hashlib.sha256(UUIDS[TWO].encode()).hexdigest()},
        {"X_Instance_ID_Signature": hmac.new(b"", UUIDS[TWO].encode(), hashlib.sha256).hexdigest()},
        {"X_Tenant_ID": "other"},
        {"X_Tenant_ID": ""},
        {"X_Instance_ID": f"{UUIDS[ONE]},{UUIDS[TWO]}"},
        {"X_Instance_ID_Signature": "\xff" * 64},
    ):
        assert signed.told(PROXY, **proof(UUIDS[TWO], **changes)) == "", changes
    assert signed.told(ONE) == "", "an address proves nothing there"


def test_a_header_that_is_there_twice_proves_nothing(signed: Service) -> None:
    rows = [(name.replace("_", "-"), value) for name, value in proof(UUIDS[TWO]).items()]
    for extra in (("X-Instance-ID", UUIDS[ONE]), ("X_Instance_ID", UUIDS[ONE])):
        for data in (request(NAME, *rows, extra), request(NAME, extra, *rows)):
            told = [answer.body.decode() for answer in signed.say(PROXY, data) if answer.status == 200]
            assert told in ([], [TWO])


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("169.254.169.254", 200),
        ("169.254.169.254:80", 200),
        ("[fd00:ec2::254]:80", 200),
        ("metadata", 200),
        ("attacker.example.com", 403),
        ("attacker.example.com:80", 403),
        ("169.254.169.254.nip.io", 403),
        ("ATTACKER.EXAMPLE.COM.", 403),
        ("169.254.169.254, attacker.example.com", 403),
        ("user@attacker.example.com", 403),
        ("0xa9fea9fe.example", 403),
    ],
)
def test_a_name_of_the_internet_is_not_ours(plain: Service, host: str, status: int) -> None:
    """DNS rebinding: a page in a guest's browser whose own name was pointed at the service."""
    assert plain.ask(ONE, Host=host).status == status


def test_clients_of_the_first_http_name_no_host(plain: Service) -> None:
    (answer,) = plain.say(ONE, f"GET {NAME} HTTP/1.0\r\n\r\n".encode())
    assert answer.body.decode() == ONE


def test_a_flood_of_one_guest_leaves_the_others_their_answers(plain: Service) -> None:
    """Beyond its burst a guest is refused, the next guest is not."""
    pipelined = request(NAME).replace(b"Connection: close\r\n", b"") * 100
    refused = 0
    for _ in range(10):
        refused += sum(answer.status == 429 for answer in plain.say(THREE, pipelined + request(NAME)))
        assert plain.told(TWO) == TWO
    assert refused, "a thousand requests at once were answered"
    eventually(lambda: plain.told(THREE) == THREE)


def test_connections_of_one_guest_leave_room_for_the_others(plain: Service) -> None:
    """Idle ones, and ones that send a header a byte at a time: more than a guest may hold are hung up on."""
    with contextlib.ExitStack() as stack:
        held = []
        for number in range(100):
            connection = stack.enter_context(plain.connect(THREE))
            with contextlib.suppress(OSError):
                connection.sendall(b"" if number % 2 else b"GET /latest HTTP/1.1\r\nX-Slow: a")
            held.append(connection)
        eventually(lambda: sum(is_open(connection) for connection in held) <= 32)
        for guest in (ONE, TWO):
            assert plain.told(guest) == guest
        for connection in held:
            with contextlib.suppress(OSError):
                connection.sendall(b"a")
        assert plain.told(ONE) == ONE
    eventually(lambda: plain.told(THREE) == THREE)


def is_open(connection: socket.socket) -> bool:
    """Tell whether the other end has not hung up."""
    connection.setblocking(False)
    try:
        return connection.recv(1) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        connection.settimeout(PATIENCE_S)


def test_the_operators_proxy_may_hold_many_connections(forwarded: Service) -> None:
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(forwarded.connect(PROXY)) for _ in range(100)]
        for connection in held:
            connection.sendall(request(NAME, ("X-Forwarded-For", ONE)))
        answers = [connection.recv(65536) for connection in held]
    assert all(answer.startswith(b"HTTP/1.1 200") for answer in answers)


HUGE = [
    f"GET /{'a' * 100_000} HTTP/1.1\r\n\r\n".encode(),
    f"GET / HTTP/1.1\r\nX-Long: {'a' * 300_000}\r\n\r\n".encode(),
    b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: a\r\n" % n for n in range(50_000)) + b"\r\n",
    b"POST /openstack/latest/password HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n" + b"a" * 4096,
    b"POST /openstack/latest/password HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    b"POST /openstack/latest/password HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffff\r\na",
]


@pytest.mark.parametrize("data", HUGE, ids=["path", "header", "headers", "body", "negative", "chunk"])
def test_what_is_huge_is_refused(plain: Service, data: bytes) -> None:
    with plain.connect(ONE) as connection:
        with contextlib.suppress(OSError):
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while part := connection.recv(65536):
                received += part
    assert not received or 400 <= int(received.split()[1]) < 500 or received.split()[1] == b"501", received[
        :99
    ]
    assert plain.told(ONE) == ONE


def test_paths_lead_nowhere_else(plain: Service) -> None:
    for path in (
        "/latest/meta-data/../../../../etc/passwd",
        "/openstack/latest/../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "//etc/passwd",
        "/openstack/content/../../x",
        "/openstack/content/9999",
        "/openstack/latest/meta_data.json%00.txt",
        "http://169.254.169.254/latest/user-data/../../etc/passwd",
    ):
        answer = plain.ask(ONE, path)
        assert answer.status in (400, 404) and b"root:" not in answer.body, path
