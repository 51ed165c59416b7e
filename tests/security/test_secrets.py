"""Planted secrets: told to whom they belong, and found nowhere else.

Not in logs (at the level DEBUG, also of what fails), metrics, faults and actions as administrators see
them; not in the database where it need not know them; in no message but those whose receiver works with them.
"""

from __future__ import annotations

import base64
import json
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from nova.rpc import payload
from nova.rpc.transport import Address, Transport
from tests.security.process import OwnProcess, own_process
from tests.support.cloud import Answer, User, eventually, running_cloud
from tests.support.costs import Meter

TOKEN = "canary-token-4711"
PASSWORD = "canary-Password-4712"
USER_DATA = "canary-user-data-4713"
FILE = "canary-injected-file-4714"
OF_THE_PROXY = "canary-of-the-proxy-4715"
SURPRISE = [{"method": "spawn", "instance": "breaks*", "fault": "break"}]
FAILURE = [{"method": "spawn", "instance": "fails*", "fault": "fail", "error": "BuildFailed"}]
NOT_KEPT = ("token", "password", "console", "private key", "of the proxy")
"""What the database has no need of."""
RECEIVERS: Mapping[str, frozenset[str]] = {
    "token": frozenset(),
    "of the proxy": frozenset(),
    # The answer to who creates a server tells the password; hosts learn it from nobody.
    "password": frozenset({"boot"}),
    "private key": frozenset({"create_keypair"}),
    "console": frozenset({"open_console", "authorize"}),
}
"""Which methods carry a secret in a question or an answer; user data and files go where servers go."""
REFUSED: tuple[dict[str, Any], ...] = (
    {"name": 1}, {"flavorRef": "none"}, {"imageRef": "none"}, {"key_name": "none"}, {"nonsense": 1},
    {"adminPass": [PASSWORD]}, {"user_data": USER_DATA + "!"},
)  # fmt: skip
"""Changes for which a create is refused with its secrets in hand."""
FORMS = (
    "token={}".format,
    lambda token: urllib.parse.quote(f"?token={token}", safe=""),
    lambda token: f"path=%253Ftoken%253D{token}",
)
"""How a console's token comes in query strings: as it is, and in a link within a link."""


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def configured(home: Path, **more: str) -> str:
    """Write tokens and a script; return the options that name them."""
    home.mkdir(parents=True, exist_ok=True)
    known = {
        "admin:admin": {"user_id": "admin", "project_id": "admin", "roles": ["admin"]},
        "demo:demo": {"user_id": "demo", "project_id": "demo", "roles": ["member"]},
        TOKEN: {"user_id": "demo", "project_id": "demo", "roles": ["member"]},
    }
    (home / "tokens.json").write_text(json.dumps({"tokens": known}))
    (home / "script.json").write_text(json.dumps(SURPRISE + FAILURE))
    sections = {
        "DEFAULT": "debug = true",
        "api": "auth_strategy = static",
        "identity": f"tokens_file = {home}/tokens.json",
        "fake": f"script = {home}/script.json",
        "metadata": f"metadata_proxy_shared_secret = {OF_THE_PROXY}",
    } | more
    return "\n".join(f"[{name}]\n{text}" for name, text in sections.items())


def user(port: int) -> User:
    """Return a member whose token is a secret."""
    made = User(port, "demo", "demo")
    made.token = TOKEN
    return made


def plant(demo: User, image: str) -> dict[str, list[str]]:
    """Use secrets in all that succeeds and fails; return each in every form in which it might be found."""
    wish = {
        "imageRef": image,
        "flavorRef": "1",
        "networks": "none",
        "adminPass": PASSWORD,
        "user_data": encoded(USER_DATA),
        "personality": [{"path": "/etc/secret", "contents": encoded(FILE)}],
        "config_drive": True,
    }
    servers = {}
    for name, status in (("works", "ACTIVE"), ("breaks", "ERROR"), ("fails", "ERROR")):
        answer = demo.ask("POST", "/servers", {"server": wish | {"name": name}}, version="2.42")
        assert answer.status == 202 and answer.body["server"]["adminPass"] == PASSWORD, answer
        servers[name] = answer.body["server"]["id"]
        eventually(lambda s=servers[name], status=status: settled(demo, s, status), timeout_s=60)
    for changes in REFUSED:
        answer = demo.ask("POST", "/servers", {"server": wish | {"name": "x"} | changes}, version="2.42")
        assert answer.status == 400, answer
        assert not found_in(str(answer.body), {"all": [PASSWORD, encoded(FILE), TOKEN]}), answer
    key = demo.ask("POST", "/os-keypairs", {"keypair": {"name": "made"}}, version="2.1")
    assert key.status == 200, key
    console = {"remote_console": {"protocol": "vnc", "type": "novnc"}}
    place = demo.ask("POST", f"/servers/{servers['works']}/remote-consoles", console)
    assert place.status == 200, place
    private = key.body["keypair"]["private_key"].splitlines()[2]
    token = urllib.parse.unquote(place.body["remote_console"]["url"]).rpartition("token=")[2]
    for path in (f"/os-console-auth-tokens/{token}", *(f"/servers?{form(token)}" for form in FORMS)):
        assert token not in str(demo.ask("GET", path).body)
    return {
        "token": [TOKEN],
        "password": [PASSWORD, encoded(PASSWORD)],
        "user data": [USER_DATA, encoded(USER_DATA)],
        "file": [FILE, encoded(FILE)],
        "private key": [private],
        "console": [token],
        "of the proxy": [OF_THE_PROXY],
    }


def settled(demo: User, server: str, status: str) -> bool:
    found = demo.server(server)
    return found["status"] == status and found["OS-EXT-STS:task_state"] is None


def found_in(text: str, secrets: Mapping[str, list[str]]) -> list[str]:
    """Name the secrets that a text has."""
    return [name for name, forms in secrets.items() if any(form in text for form in forms)]


@pytest.fixture(scope="module", params=["eventlet", "threading"])
def cloud(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnProcess]:
    home = tmp_path_factory.mktemp("secrets")
    with own_process(home, mode=request.param, extra=configured(home)) as running:
        yield running


@pytest.fixture(scope="module")
def secrets(cloud: OwnProcess) -> dict[str, list[str]]:
    return plant(user(cloud.port), cloud.image)


def test_logs_have_none(cloud: OwnProcess, secrets: dict[str, list[str]]) -> None:
    for wrong in (TOKEN + "-wrong", TOKEN.upper()):
        stranger = user(cloud.port)
        stranger.token = wrong
        assert stranger.ask("GET", "/servers").status == 401
    log = cloud.log
    assert "DEBUG" in log and "Traceback" in log, "the surprise was not logged"
    assert found_in(log, secrets | {"a wrong token": [TOKEN + "-wrong", TOKEN.upper()]}) == []


def test_metrics_have_none(cloud: OwnProcess, secrets: dict[str, list[str]]) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{cloud.health}/metrics", timeout=20) as answer:
        page = answer.read().decode()
    assert "nova" in page
    assert found_in(page, secrets) == []


def test_faults_and_actions_have_none(cloud: OwnProcess, secrets: dict[str, list[str]]) -> None:
    """Administrators see the whole: what failed, its events with their details, diagnostics."""
    admin = cloud.admin
    servers = admin.ask("GET", "/servers/detail?all_tenants=1").body["servers"]
    assert sum("fault" in server for server in servers) == 2
    rest = {name: forms for name, forms in secrets.items() if name != "user data"}
    assert found_in(json.dumps(servers), rest) == [], "user data is an attribute that administrators see"
    for server in servers:
        actions: Answer = admin.ask("GET", f"/servers/{server['id']}/os-instance-actions")
        for action in actions.body["instanceActions"]:
            path = f"/servers/{server['id']}/os-instance-actions/{action['request_id']}"
            assert found_in(json.dumps(admin.ask("GET", path).body), secrets) == []


def test_the_database_keeps_what_it_must(cloud: OwnProcess, secrets: dict[str, list[str]]) -> None:
    held = b"".join(path.read_bytes() for path in sorted(cloud.home.glob("nova.sqlite*")))
    text = held.decode("latin-1")
    assert found_in(text, {"user data": secrets["user data"]}), "this is where servers are kept"
    assert found_in(text, {name: secrets[name] for name in NOT_KEPT}) == []


class Wire(Meter):
    """Hears every message of a cloud."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[tuple[str, bytes]] = []

    def around(self, transport: Transport) -> Transport:
        return _Tapped(super().around(transport), self)


class _Tapped:
    """A transport with an ear in front of it."""

    def __init__(self, inner: Transport, wire: Wire) -> None:
        self._inner = inner
        self._wire = wire

    def call(self, to: Address, body: bytes, timeout_s: float) -> bytes:
        method = payload.decode_request(body).method
        answer = self._inner.call(to, body, timeout_s)
        self._wire.heard += [(method, body), (method, answer)]
        return answer

    def cast(self, to: Address, body: bytes) -> None:
        self._wire.heard.append((payload.decode_request(body).method, body))
        self._inner.cast(to, body)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def test_messages_carry_secrets_to_their_receivers_only(tmp_path: Path) -> None:
    wire = Wire()
    with running_cloud(tmp_path, extra=configured(tmp_path), meter=wire) as bench:
        secrets = plant(user(bench.port), bench.image)
    carried: dict[str, set[str]] = {name: set() for name in secrets}
    for method, body in list(wire.heard):
        for name in found_in(body.decode("latin-1"), secrets):
            carried[name].add(method)
    assert {"boot"} <= carried["user data"] & carried["file"], "the ear hears nothing"
    for name, methods in RECEIVERS.items():
        assert carried[name] <= methods, name
