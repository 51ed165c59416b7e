"""Consoles: tokens that were stolen, guessed, kept too long; pages from elsewhere; greedy and slow browsers.

A real proxy over real sockets; tokens come from the whole cloud where their life is what matters.
"""

from __future__ import annotations

import contextlib
import http.client
import logging
import os
import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from nova.console.bounds import MOST_FRAME
from nova.console.proxy import Proxy, ProxyOptions
from nova.objects.console import ConsoleAuthorization
from nova.objects.ids import InstanceId
from tests.security.process import MEMORY_PAGE
from tests.support.cloud import DAEMONS, Bench, eventually, running_cloud

TOKEN = "t" * 43
SPEAKS = b"RFB 003.008\n"


class Guest:
    """A console that says who it is and counts who came."""

    def __init__(self, port: int = 0) -> None:
        self._listener = socket.create_server(("127.0.0.1", port), backlog=512)
        self.port = self._listener.getsockname()[1]
        self.heard: list[bytes] = []
        self._held: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._held.append(connection)
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := connection.recv(65536):
                self.heard.append(data)
                connection.sendall(SPEAKS)

    def close(self) -> None:
        self._listener.close()
        for connection in self._held:
            connection.close()


@pytest.fixture
def guest() -> Iterator[Guest]:
    listening = Guest()
    yield listening
    listening.close()


@pytest.fixture
def proxy(guest: Guest, tmp_path: Path) -> Iterator[Proxy]:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "vnc_lite.html").write_text("the page")
    (tmp_path / "web" / "link").mkdir()
    (tmp_path / "secret").write_text("not to be seen")

    def check(token: str) -> ConsoleAuthorization | None:
        if token != TOKEN:
            return None
        return ConsoleAuthorization(
            instance_id=InstanceId("i"), protocol="vnc", type="novnc", host="127.0.0.1", port=guest.port
        )

    options = ProxyOptions(
        host="127.0.0.1", port=0, web=str(tmp_path / "web"), most_connections=400, request_s=1.0,
        allowed_origins=frozenset({"dashboard.example"}),
    )  # fmt: skip
    running = Proxy(options, check)
    running.start()
    yield running
    running.stop(5)


def handshake(port: int, *, token: str = TOKEN, **headers: str | None) -> bytes:
    """Return the bytes that ask for a websocket; a header of None is left out."""
    known = {
        "Host": f"127.0.0.1:{port}", "Origin": f"http://127.0.0.1:{port}", "Connection": "Upgrade",
        "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    } | {name.replace("_", "-"): value for name, value in headers.items()}  # fmt: skip
    lines = [f"GET /?token={token} HTTP/1.1"] + [f"{k}: {v}" for k, v in known.items() if v is not None]
    return "\r\n".join((*lines, "", "")).encode("latin-1")


def connect(port: int, data: bytes) -> tuple[socket.socket, int]:
    """Send a request; return the connection and the status."""
    connection = socket.create_connection(("127.0.0.1", port), 20)
    connection.sendall(data)
    answer = b""
    while b"\r\n\r\n" not in answer:
        part = connection.recv(4096)
        if not part:
            break
        answer += part
    return connection, int(answer.split()[1]) if answer else 0


def opened(port: int, data: bytes) -> int:
    """Return the status of a request."""
    connection, status = connect(port, data)
    connection.close()
    return status


def frame(payload: bytes, *, opcode: int = 2, announced: int | None = None, final: bool = True) -> bytes:
    """Return a masked frame (with a mask of zeros)."""
    length = len(payload) if announced is None else announced
    head = bytes([opcode | (0x80 if final else 0)])
    if length < 126:
        head += bytes([0x80 | length])
    elif length < 1 << 16:
        head += b"\xfe" + struct.pack(">H", length)
    else:
        head += b"\xff" + struct.pack(">Q", length)
    return head + bytes(4) + payload


@pytest.mark.parametrize(
    "origin",
    [
        None, "", "null", "http://evil.example", "http://127.0.0.1.evil.example", "http://127.0.0.1:1",
        "ftp://127.0.0.1:{port}", "http://127.0.0.1:{port}@evil.example", "http://evil.example#127.0.0.1:{port}",
        "http://127.0.0.1:{port}/page", "file://", "http://[::1", "//127.0.0.1:{port}", "127.0.0.1:{port}",
        "http://dashboard.example.evil.example", "http://evil.example?dashboard.example", "http://DASHBOARD",
        "http://127.0.0.1:{port}, http://evil.example", "\xff\xfe", "http://" + "a" * 5000,
        "https://127.0.0.1", "http://127.0.0.1:99999999",
    ],
)  # fmt: skip
def test_foreign_pages_are_refused(proxy: Proxy, guest: Guest, origin: str | None) -> None:
    port = proxy.address[1]
    named = origin.replace("{port}", str(port)) if origin is not None else None
    assert opened(port, handshake(port, Origin=named)) == 403
    assert not guest.heard


@pytest.mark.parametrize(
    "host", [None, "", "evil.example", "[::1", "127.0.0.1:1", "\xff", "evil.example:{port}"]
)
def test_a_host_that_is_not_the_origin_is_refused(proxy: Proxy, host: str | None) -> None:
    port = proxy.address[1]
    named = host.replace("{port}", str(port)) if host is not None else None
    assert opened(port, handshake(port, Host=named)) in (400, 403)


def test_our_page_and_the_dashboards_are_welcome(proxy: Proxy) -> None:
    port = proxy.address[1]
    for origin in (f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port}/", "https://dashboard.example:8443"):
        assert opened(port, handshake(port, Origin=origin)) == 101


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        TOKEN[:-1],
        TOKEN + "t",
        TOKEN.upper(),
        "%00",
        "t" * 257,
        "*",
        "' OR 1=1 --",
        "../" + TOKEN,
        "\xff",
    ],
)
def test_guesses_are_refused(proxy: Proxy, token: str) -> None:
    port = proxy.address[1]
    data = handshake(port, token=token.replace(" ", "%20"))
    assert opened(port, data) in (400, 403)


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example/%2F..", "//evil.example/..",
        "/\\evil.example/%2f..", "/%5cevil.example",
        "/%2fevil.example/..",
        "/..%2f..%2fetc/passwd", "/../secret", "/%2e%2e/secret", "/%252e%252e/secret",
        "/link/passwd/../../../secret",
        "/vnc_lite.html/..//", "/%00", "/./../secret", "/a/../../secret", "http://evil.example//x/..",
    ],
)  # fmt: skip
def test_no_path_leads_out_of_the_folder_or_elsewhere(proxy: Proxy, path: str) -> None:
    connection, status = connect(proxy.address[1], f"GET {path} HTTP/1.0\r\nHost: h\r\n\r\n".encode())
    with connection:
        assert status in (400, 404), path
    for method in ("HEAD", "POST", "PUT", "DELETE", "OPTIONS"):
        assert opened(proxy.address[1], f"{method} {path} HTTP/1.0\r\n\r\n".encode()) >= 400


def test_folders_are_not_redirected_to(proxy: Proxy) -> None:
    connection = http.client.HTTPConnection(*proxy.address, timeout=10)
    connection.request("GET", "/link")
    answer = connection.getresponse()
    assert answer.status >= 400 and answer.getheader("Location") is None


def test_messages_in_parts_and_pings_are_no_end(proxy: Proxy, guest: Guest) -> None:
    port = proxy.address[1]
    connection, status = connect(port, handshake(port))
    assert status == 101
    with connection:
        connection.sendall(frame(b"", opcode=9))
        whole = frame(b"hello")
        connection.sendall(whole[:4])
        time.sleep(0.05)
        connection.sendall(whole[4:])
        eventually(lambda: b"".join(guest.heard) == b"hello")
        connection.sendall(frame(b"half", final=False) + frame(b"", opcode=9) + frame(b"whole", opcode=0))
        eventually(lambda: b"".join(guest.heard) == b"hellohalfwhole")


@pytest.mark.parametrize("announced", [MOST_FRAME + 1, 1 << 32, (1 << 63) - 1, (1 << 64) - 1])
def test_a_frame_of_any_announced_length_costs_nothing(proxy: Proxy, announced: int) -> None:
    port = proxy.address[1]
    connection, status = connect(port, handshake(port))
    assert status == 101
    with connection:
        connection.sendall(frame(b"x" * 100, announced=announced))
        assert ended(connection)


def test_a_message_without_end_is_cut_off(proxy: Proxy) -> None:
    port = proxy.address[1]
    connection, status = connect(port, handshake(port))
    assert status == 101
    with connection, contextlib.suppress(OSError):
        connection.sendall(frame(b"x", final=False))
        for _ in range(3 * MOST_FRAME // 60_000):
            connection.sendall(frame(b"y" * 60_000, opcode=0, final=False))
        assert ended(connection)


def ended(connection: socket.socket) -> bool:
    """Tell whether the other side hangs up."""
    with contextlib.suppress(ConnectionError):
        while connection.recv(65536):
            pass
    return True


@pytest.mark.parametrize("opcode", [0, 1, 3, 7, 8, 11, 15])
def test_frames_that_are_no_messages_harm_nobody(proxy: Proxy, opcode: int) -> None:
    port = proxy.address[1]
    for data in (frame(b"x", opcode=opcode), frame(b"x", opcode=opcode)[:1] + b"\x01x", os.urandom(64)):
        connection, status = connect(port, handshake(port))
        assert status == 101
        with connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            assert ended(connection)
    assert opened(port, handshake(port)) == 101


def test_a_request_that_comes_byte_by_byte_is_given_up(proxy: Proxy) -> None:
    """Each byte is in time for the one before; the request is not."""
    with socket.create_connection(("127.0.0.1", proxy.address[1]), 20) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX-A: ")
        began, connection_ended = time.monotonic(), False
        connection.settimeout(0.2)
        while not connection_ended and time.monotonic() - began < 20:
            try:
                connection.sendall(b"a")
                connection_ended = connection.recv(1) == b""
            except TimeoutError:
                continue
            except OSError:
                connection_ended = True
        assert connection_ended and time.monotonic() - began < 10


def test_slow_strangers_leave_room_for_others(proxy: Proxy) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(450):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", proxy.address[1]), 20))
            with contextlib.suppress(OSError):
                connection.sendall(b"GET / HTTP/1.1\r\n")
        # All 400 places are taken by what never ends its request: after a second they are given up.
        port = proxy.address[1]

        def served() -> bool:
            try:
                return opened(port, handshake(port)) == 101
            except OSError:
                return False

        eventually(served, timeout_s=20)


def test_hundreds_of_idle_consoles_are_held_and_no_more(proxy: Proxy, guest: Guest) -> None:
    def memory() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * MEMORY_PAGE

    before, port, statuses = memory(), proxy.address[1], []
    with contextlib.ExitStack() as stack:
        for _ in range(420):
            try:
                connection, status = connect(port, handshake(port))
            except ConnectionError:
                statuses.append(0)
                continue
            stack.enter_context(connection)
            statuses.append(status)
        assert statuses.count(101) == 400 and statuses[400:] == [0] * 20
        assert memory() - before < 150 << 20
    eventually(lambda: opened(port, handshake(port)) == 101)


def test_no_secret_is_in_the_proxys_log(proxy: Proxy, guest: Guest, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    port = proxy.address[1]
    assert opened(port, handshake(port)) == 101
    assert opened(port, handshake(port, token="wrong-canary")) == 403
    assert opened(port, handshake(port, Origin="http://evil", Cookie=f"token={TOKEN}")) == 403
    guest.close()
    eventually(lambda: opened(port, handshake(port)) == 502)
    opened(port, handshake(port, Sec_WebSocket_Key="") + b"garbage")
    said = caplog.text
    assert "does not answer" in said or "The console of" in said
    assert TOKEN not in said and "wrong-canary" not in said


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    daemons = (*DAEMONS, "nova-novncproxy")
    extra = "[vnc]\nnovncproxy_host = 127.0.0.1\nnovncproxy_port = 0\n"
    with running_cloud(tmp_path_factory.mktemp("consoles"), extra=extra, daemons=daemons) as bench:
        yield bench


def token_for(cloud: Bench, server: str) -> str:
    """Have a console link made; return its token."""
    wish = {"remote_console": {"protocol": "vnc", "type": "novnc"}}
    answer = cloud.demo.ask("POST", f"/servers/{server}/remote-consoles", wish)
    assert answer.status == 200, answer
    path = unquote(parse_qs(urlsplit(answer.body["remote_console"]["url"]).query)["path"][0])
    return path.removeprefix("?token=")


def proxy_of(cloud: Bench) -> Proxy:
    """Return the running proxy."""
    daemon = next(d for d in cloud.cloud.daemons if d.name == "nova-novncproxy")
    found = daemon.parts.services[0]
    assert isinstance(found, Proxy)
    return found


def is_good(cloud: Bench, token: str) -> bool:
    """Tell whether the proxy would open a console with a token (the fake guests have no real one: 502)."""
    port = proxy_of(cloud).address[1]
    status = opened(port, handshake(port, token=token))
    assert status in (101, 403, 502), status
    return status != 403


@pytest.mark.parametrize("action", ["os-stop", "suspend", "reboot", "delete"])
def test_a_token_dies_with_what_it_was_for(cloud: Bench, action: str) -> None:
    """After each of these another guest may listen on the port; starting again must not wake the token."""
    server = cloud.demo.boot(cloud.image)
    cloud.demo.wait(server, "ACTIVE")
    token = token_for(cloud, server)
    assert is_good(cloud, token) and is_good(cloud, token)
    if action == "delete":
        cloud.demo.ask("DELETE", f"/servers/{server}")
        cloud.demo.wait_gone(server)
    else:
        argument = {"type": "HARD"} if action == "reboot" else None
        assert cloud.demo.act(server, action, argument).status == 202
        cloud.demo.wait(server, {"os-stop": "SHUTOFF", "suspend": "SUSPENDED", "reboot": "ACTIVE"}[action])
        again = {"os-stop": "os-start", "suspend": "resume"}.get(action)
        if again:
            assert cloud.demo.act(server, again).status == 202
            cloud.demo.wait(server, "ACTIVE")
    assert not is_good(cloud, token)
    if action != "delete":
        assert is_good(cloud, token_for(cloud, server))


def test_a_token_ends(tmp_path: Path) -> None:
    extra = "[consoleauth]\ntoken_ttl = 1\n[vnc]\nnovncproxy_host = 127.0.0.1\nnovncproxy_port = 0\n"
    with running_cloud(tmp_path, extra=extra, daemons=(*DAEMONS, "nova-novncproxy")) as cloud:
        server = cloud.demo.boot(cloud.image)
        cloud.demo.wait(server, "ACTIVE")
        token = token_for(cloud, server)
        assert is_good(cloud, token)
        eventually(lambda: not is_good(cloud, token))


def test_tokens_are_long_different_and_kept_as_hashes(cloud: Bench) -> None:
    server = cloud.demo.boot(cloud.image)
    cloud.demo.wait(server, "ACTIVE")
    tokens = {token_for(cloud, server) for _ in range(10)}
    assert len(tokens) == 10 and all(len(token) >= 32 for token in tokens)
    kept = b"".join(path.read_bytes() for path in Path(cloud.conf.state_path).glob("nova.sqlite*"))
    assert kept
    for token in tokens:
        assert token.encode() not in kept
        assert not is_good(cloud, token.swapcase())


def test_only_those_who_may_see_the_server_get_a_token(cloud: Bench) -> None:
    server = cloud.demo.boot(cloud.image)
    cloud.demo.wait(server, "ACTIVE")
    wish = {"remote_console": {"protocol": "vnc", "type": "novnc"}}
    assert cloud.other.ask("POST", f"/servers/{server}/remote-consoles", wish).status == 404
    token = token_for(cloud, server)
    assert cloud.other.ask("GET", f"/os-console-auth-tokens/{token}").status == 403
    assert cloud.demo.ask("GET", f"/os-console-auth-tokens/{token}").status == 403
    assert (
        cloud.admin.ask("GET", f"/os-console-auth-tokens/{token}").body["console"]["instance_uuid"] == server
    )
