"""Secrets planted where users give or get them, and looked for where they must not be.

A whole cloud in one process, all logged at DEBUG in the lines of operators; servers that are built, and
requests that are refused with their secrets in hand.
"""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, unquote

import pytest
from prometheus_client import generate_latest

from nova import log
from nova.rpc.transport import Address, Incoming, Listener, Transport
from tests.support.cloud import Bench, running_cloud
from tests.support.costs import Meter

PASSWORD = "CANARYpassword1"
DATA = "CANARYdata2"
NO_BUSINESS = ("scheduler", "network", "consoleauth", "conductor-reports")
"""Topics whose servers have no use for what users keep secret."""


class Wire(Meter):
    """Keeps the requests that go over a transport."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[tuple[str, bytes]] = []

    def around(self, inner: Transport) -> Transport:
        """Return the transport, listened to."""
        return _Heard(inner, self.sent)

    def statement(self, sql: str) -> None:
        """Not of interest here."""

    def disturb(self, point: str) -> None:
        """Not of interest here."""


class _Heard:
    def __init__(self, inner: Transport, sent: list[tuple[str, bytes]]) -> None:
        self._inner = inner
        self._sent = sent

    def call(self, to: Address, body: bytes, timeout_s: float) -> bytes:
        self._sent.append((to.topic, body))
        return self._inner.call(to, body, timeout_s)

    def cast(self, to: Address, body: bytes) -> None:
        self._sent.append((to.topic, body))
        self._inner.cast(to, body)

    def listen(self, topic: str, server: str, receive: Callable[[Incoming], None]) -> Listener:
        return self._inner.listen(topic, server, receive)

    def close(self) -> None:
        self._inner.close()


class _Lines(logging.Handler):
    """Keeps what an operator's log would have."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(log.TextFormatter())
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


class Planted:
    """What was planted, and all that was seen meanwhile."""

    def __init__(self, bench: Bench, wire: Wire, lines: _Lines) -> None:
        self.bench = bench
        self.wire = wire
        self.logged = lines.lines
        self.told: list[Any] = []
        """What was answered and is no secret's own answer: faults, histories."""
        self.data = base64.b64encode(DATA.encode()).decode()
        self.key = self._key()
        self.server = self._server()
        self.token = self._console()
        self._refused()

    def secrets(self) -> dict[str, str]:
        """Return what must not be found, by name."""
        return {
            "password": PASSWORD, "user data": DATA, "encoded user data": self.data, "key": self.key,
            "console token": self.token,
        }  # fmt: skip

    def _key(self) -> str:
        wish = {"keypair": {"name": "mine"}}
        made = self.bench.demo.ask("POST", "/os-keypairs", wish, version="2.1").body["keypair"]
        return str(made["private_key"].splitlines()[2])

    def _wish(self, **more: Any) -> dict[str, Any]:
        server = {
            "name": "web", "imageRef": self.bench.image, "flavorRef": "1", "networks": "none",
            "adminPass": PASSWORD, "user_data": self.data, "key_name": "mine",
        }  # fmt: skip
        return {"server": server | more}

    def _server(self) -> str:
        answer = self.bench.demo.ask("POST", "/servers", self._wish(), version="2.87")
        assert answer.status == 202, answer
        server = str(answer.body["server"]["id"])
        self.bench.demo.wait(server, "ACTIVE")
        self.told.append(self.bench.admin.ask("GET", f"/servers/{server}/os-instance-actions").body)
        return server

    def _console(self) -> str:
        wish = {"remote_console": {"protocol": "vnc", "type": "novnc"}}
        answer = self.bench.demo.ask("POST", f"/servers/{self.server}/remote-consoles", wish)
        assert answer.status == 200, answer
        link = unquote(str(answer.body["remote_console"]["url"]))
        token = link.partition("token=")[2]
        shown = self.bench.admin.ask("GET", f"/os-console-auth-tokens/{token}")
        assert shown.status == 200, shown
        for form in (f"token={token}", quote(f"?token={token}", safe=""), f"path=%253Ftoken%253D{token}"):
            self.told.append(self.bench.demo.ask("GET", f"/servers?{form}").body)
            self.told.append(self.bench.demo.ask("GET", f"/servers/nowhere?path={form}").body)
        return token

    def _refused(self) -> None:
        """Be refused with secrets in hand."""
        no_flavor = self.bench.demo.ask("POST", "/servers", self._wish(flavorRef="none"), version="2.87")
        odd = self.bench.demo.ask("POST", "/servers", self._wish(nonsense=1), version="2.87")
        for wrong in ({"adminPass": [PASSWORD]}, {"user_data": DATA + "!"}):
            answer = self.bench.demo.ask("POST", "/servers", self._wish(**wrong), version="2.87")
            assert answer.status == 400, answer
            self.told.append(answer.body)
        nowhere = self._wish(availability_zone="nova:nohost")
        forced = self.bench.admin.ask("POST", "/servers", nowhere, version="2.73")
        assert (no_flavor.status, odd.status) == (400, 400), (no_flavor, odd)
        self.told += [no_flavor.body, odd.body]
        if forced.status == 202:
            gone = str(forced.body["server"]["id"])
            self.told.append(self.bench.admin.wait(gone, "ERROR").get("fault"))
        taken = {"keypair": {"name": "mine", "public_key": PASSWORD}}
        self.told.append(self.bench.demo.ask("POST", "/os-keypairs", {"keypair": {"name": "mine"}}).body)
        assert self.bench.demo.ask("POST", "/os-keypairs", taken, version="2.1").status in (400, 409)


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planted]:
    wire, lines = Wire(), _Lines()
    root = logging.getLogger()
    before = root.level
    root.addHandler(lines)
    root.setLevel(logging.DEBUG)
    try:
        with running_cloud(tmp_path_factory.mktemp("planted"), meter=wire) as bench:
            yield Planted(bench, wire, lines)
    finally:
        root.removeHandler(lines)
        root.setLevel(before)


def test_what_is_looked_at_is_there(planted: Planted) -> None:
    assert any("os-console-auth-tokens/***" in line for line in planted.logged), "the access log is kept"
    assert len(planted.wire.sent) > 20 and len(planted.told) > 8
    assert all(len(secret) > 8 for secret in planted.secrets().values())


def test_no_log_line_tells_a_secret(planted: Planted) -> None:
    for name, secret in planted.secrets().items():
        assert [line for line in planted.logged if secret in line] == [], name


def test_no_fault_or_history_tells_a_secret(planted: Planted) -> None:
    told = json.dumps(planted.told)
    assert [name for name, secret in planted.secrets().items() if secret in told] == []


def test_no_metric_tells_a_secret(planted: Planted) -> None:
    page = generate_latest(planted.bench.cloud.surroundings.registry).decode()
    assert [name for name, secret in planted.secrets().items() if secret in page] == []


def test_messages_carry_secrets_only_to_those_who_need_them(planted: Planted) -> None:
    secrets = planted.secrets()
    of_key = [topic for topic, body in planted.wire.sent if secrets["key"].encode() in body]
    assert of_key == [], "a private key is answered, never sent"
    token = secrets.pop("console token").encode()
    assert {topic for topic, body in planted.wire.sent if token in body} <= {"consoleauth"}
    for name, secret in secrets.items():
        found = {topic for topic, body in planted.wire.sent if secret.encode() in body}
        assert found.isdisjoint(NO_BUSINESS), name
