"""The wall clock of a whole cloud jumps an hour, forth and back, in the middle of work: nothing changes.

Leases, services, deadlines, jobs, caches and consoles go on as if nothing had been; the check finds nothing.
"""

from __future__ import annotations

import datetime
import json
import pathlib
import urllib.parse
from collections.abc import Iterator

import pytest

from nova import ids
from nova.audit.checker import Checker
from nova.clock import Clock
from nova.context import system_context
from nova.db import owners
from nova.objects.console import ConsoleAuthorization
from nova.rpc.contracts.consoleauth import Consoleauth
from tests.support.cloud import Bench, eventually, running_cloud
from tests.support.workflows import world_of

HOUR = 3600.0
JUMPS = (HOUR, 0.0, -HOUR, 0.0)
"""Where the clock shows off the truth, one after another."""
TTL_S = 10.0
VNC = {"remote_console": {"protocol": "vnc", "type": "novnc"}}
EXTRA = """
[consoleauth]
token_ttl = {ttl}
[fake]
script = {script}
"""


class JumpingClock(Clock):
    """This machine's clock, but for the time of day."""

    def __init__(self) -> None:
        self.off_s = 0.0

    def now(self) -> datetime.datetime:
        return super().now() + datetime.timedelta(seconds=self.off_s)


@pytest.fixture(scope="module")
def clock() -> JumpingClock:
    return JumpingClock()


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Servers that are built, and others that end, only when told to."""
    found = tmp_path_factory.mktemp("script") / "script.json"
    found.write_text("[]")
    return found


@pytest.fixture(scope="module")
def cloud(
    clock: JumpingClock, script: pathlib.Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bench]:
    home = tmp_path_factory.mktemp("jumps")
    extra = EXTRA.format(ttl=TTL_S, script=script)
    with running_cloud(home, hosts=2, conductors=2, clock=clock, extra=extra) as found:
        yield found


@pytest.fixture(autouse=True)
def shown_right(clock: JumpingClock) -> Iterator[None]:
    yield
    clock.off_s = 0.0


def console(cloud: Bench, server: str) -> str:
    """Open a console; return its token."""
    answer = cloud.demo.ask("POST", f"/servers/{server}/remote-consoles", VNC)
    assert answer.status == 200 and answer.body is not None, answer
    path = urllib.parse.parse_qs(urllib.parse.urlparse(answer.body["remote_console"]["url"]).query)["path"][0]
    return urllib.parse.parse_qs(path.removeprefix("?"))["token"][0]


def admitted(cloud: Bench, token: str) -> ConsoleAuthorization | None:
    consoleauth = cloud.cloud.surroundings.client(Consoleauth).any
    return consoleauth.check(system_context(ids.new_request_id()), token)


def alive(cloud: Bench) -> dict[str, int]:
    return dict(world_of(cloud).db.read(owners.all))


def test_work_under_way_goes_on(cloud: Bench, clock: JumpingClock, script: pathlib.Path) -> None:
    """Creates, stops and deletes begin before each jump and end after it; the next begin in the new time."""
    before, user = alive(cloud), cloud.demo
    waves = []
    for number, jump in enumerate(JUMPS):
        rules = [
            {"method": method, "instance": f"{name}{number}", "fault": "hang"}
            for method, name in (("spawn", "new"), ("power_off", "off"), ("destroy", "gone"))
        ]
        script.write_text(json.dumps(rules))
        wave = {name: user.boot(cloud.image, name=f"{name}{number}") for name in ("off", "gone")}
        for server in wave.values():
            user.wait(server, "ACTIVE")
        wave["new"] = user.boot(cloud.image, name=f"new{number}")
        assert user.act(wave["off"], "os-stop").status == 202
        assert user.ask("DELETE", f"/servers/{wave['gone']}").status == 204
        clock.off_s = jump
        beats = alive(cloud)
        eventually(lambda b=beats: all(n > b[o] + 2 for o, n in alive(cloud).items()))
        assert Checker(world_of(cloud).db, clock, lease_s=0.2).judge() == []
        script.write_text("[]")
        user.wait(wave["new"], "ACTIVE")
        user.wait(wave["off"], "SHUTOFF")
        user.wait_gone(wave["gone"])
        waves.append(wave)
    after = alive(cloud)
    assert after.keys() == before.keys(), "a conductor lost its lease"
    assert all(after[owner] > count for owner, count in before.items())
    for wave in waves:
        for name in ("new", "off"):
            done = user.ask("GET", f"/servers/{wave[name]}/os-instance-actions").body
            assert done is not None
            words = [action["action"] for action in done["instanceActions"]]
            assert words == (["create"] if name == "new" else ["stop", "create"])


def test_services_stay_up(cloud: Bench, clock: JumpingClock) -> None:
    for jump in JUMPS:
        clock.off_s = jump
        beats = alive(cloud)
        for _ in range(3):
            services = cloud.admin.ask("GET", "/os-services").body
            assert services is not None
            assert [s for s in services["services"] if s["state"] != "up"] == []
        eventually(lambda b=beats: all(n > b[o] for o, n in alive(cloud).items()))


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
@pytest.mark.parametrize("opened", ["before", "after"])
def test_consoles_last_as_long_as_they_should(
    cloud: Bench, clock: JumpingClock, jump: float, opened: str
) -> None:
    """Those opened before a jump, and after it, are good at every conductor, and end in their time."""
    server = cloud.demo.boot(cloud.image)
    cloud.demo.wait(server, "ACTIVE")
    began = clock.monotonic()
    if opened == "before":
        token = console(cloud, server)
        clock.off_s = jump
    else:
        clock.off_s = jump
        began = clock.monotonic()
        token = console(cloud, server)
    for _ in range(4):
        found = admitted(cloud, token)
        assert found is not None and 0 < found.expires_in_s <= TTL_S
    eventually(lambda: admitted(cloud, token) is None)
    assert TTL_S - 0.1 <= clock.monotonic() - began <= 3 * TTL_S
