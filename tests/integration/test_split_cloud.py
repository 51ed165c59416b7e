"""A cloud of real processes, restarted, reloaded, frozen and moved in time under load.

All in one cloud, whose daemons see a wall clock that can be moved.
"""

from __future__ import annotations

import http.client
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from nova_tools.torture.cloud import Cloud
from nova_tools.torture.daemons import Daemon
from tests.support.eventually import eventually
from tests.support.shifted_clock import ShiftedClock
from tests.support.split_cloud import Load, admin, findings, split_cloud

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> ShiftedClock:
    return ShiftedClock(tmp_path_factory.mktemp("clock"))


@pytest.fixture(scope="module")
def cloud(clock: ShiftedClock) -> Iterator[Cloud]:
    with split_cloud("split", env=clock.env, hosts=2) as made:
        yield made


def owners(cloud: Cloud) -> dict[str, int]:
    """Return the beats of all conductors."""
    db = cloud.database()
    with db.engine.connect() as link:
        found = {row[0]: row[1] for row in link.execute(sa.text("SELECT id, beats FROM owners"))}
    db.close()
    return found


def all_is_well(cloud: Cloud, load: Load) -> None:
    """No request failed, none that was accepted ended otherwise, and nothing is wrong with the cloud."""
    troubles = load.troubles() + [f"{found.rule}: {found.sentence}" for found in findings(cloud)]
    assert not troubles, "\n".join(troubles)


def test_a_rolling_restart_fails_nothing(cloud: Cloud) -> None:
    """Every daemon in turn: SIGTERM, wait, start; clients go on meanwhile and none of them notices."""
    with Load(cloud) as load:
        load.wait_for(10)
        for daemon in cloud.daemons:
            assert daemon.stop(60) == 0, f"{daemon.role.name} left work behind"
            load.wait_for(2)
            daemon.start()
            eventually(daemon.ready, within_s=90, what=f"{daemon.role.name} to serve again")
        load.wait_for(10)
    all_is_well(cloud, load)


def test_clock_jumps_of_an_hour_change_nothing(cloud: Cloud, clock: ShiftedClock) -> None:
    """All daemons' wall clocks jump forward, back, and back again; their monotonic clocks do not."""
    before = owners(cloud)
    logs = {daemon.role.name: daemon.log.stat().st_size for daemon in cloud.daemons}
    with Load(cloud, seed=2) as load:
        for jump in (3600, -3600, 0):
            clock.move(jump)
            load.wait_for(15)
    try:
        all_is_well(cloud, load)
        services = admin(cloud).ask("GET", "/os-services").body["services"]
        assert {service["state"] for service in services} == {"up"}
        after = owners(cloud)
        assert after.keys() == before.keys(), "a conductor lost its lease"
        assert all(after[owner] > beats for owner, beats in before.items())
        for daemon in cloud.of("conductor"):
            said = daemon.log.read_text()[logs[daemon.role.name] :]
            assert "to other conductors" not in said
    finally:
        clock.move(0)


def frozen_for(daemon: Daemon, seconds: float) -> None:
    daemon.freeze()
    time.sleep(seconds)
    daemon.thaw()


def test_a_frozen_conductor_that_thaws_is_fenced(cloud: Cloud) -> None:
    """It stands still for longer than its lease with work in its hands: others do that, it does no harm."""
    conductors = cloud.of("conductor")
    known = set(owners(cloud))
    with Load(cloud, clients=6, seed=3) as load:
        load.wait_for(10)
        for daemon in conductors:
            daemon.freeze()
            eventually(lambda: len(owners(cloud)) < len(known), within_s=60, what="the lease to be lost")
            load.wait_for(5)
            daemon.thaw()
            eventually(lambda: len(owners(cloud)) == len(known), within_s=60, what="it to beat again")
    all_is_well(cloud, load)


def test_a_frozen_host_that_thaws_does_no_harm(cloud: Cloud) -> None:
    """Servers are created, stopped and deleted while their host stands still; what it hears late is old."""
    with Load(cloud, clients=6, seed=4) as load:
        load.wait_for(10)
        for daemon in cloud.of("compute"):
            frozen_for(daemon, 14)
    all_is_well(cloud, load)


def says(daemon: Daemon, words: str, since: int) -> bool:
    with daemon.log.open("rb") as log:
        log.seek(since)
        return words.encode() in log.read()


def test_sighup_reads_the_options_again(cloud: Cloud) -> None:
    """Every daemon takes over a changed option: its log's level, and one of its own where it has any."""
    changes = {
        "DEFAULT": {"debug": "true"},
        "api": {"auth_strategy": "noauth2", "max_limit": "1"},
        "quota": {"instances": "0"},
        "metadata": {"service_metadata_proxy": "false"},
        "vnc": {"allowed_origins": "friend.example"},
        "filter_scheduler": {"enabled_filters": "IsolatedHostsFilter", "isolated_hosts": "host-1,host-2"},
    }
    assert boot(cloud, "before") == (202, "ACTIVE")
    assert origin_refused(cloud, "http://friend.example")
    assert metadata_status(cloud) == 400, "guests ask through a proxy, this one does not"
    try:
        reload(cloud, changes)
        assert boot(cloud, "over-quota") == (403, "")
        assert not origin_refused(cloud, "http://friend.example")
        assert metadata_status(cloud) != 400
        changes["quota"] = {"instances": "20"}
        reload(cloud, changes)
        assert boot(cloud, "nowhere") == (202, "ERROR")
        answer = admin(cloud).ask("GET", "/servers?all_tenants=1")
        assert len(answer.body["servers"]) == 1
        assert answer.body["servers_links"]
    finally:
        reload(cloud, {})
    assert boot(cloud, "after") == (202, "ACTIVE")
    for daemon in cloud.daemons:
        assert daemon.starts <= 2, f"{daemon.role.name} did not live through it"


def reload(cloud: Cloud, changes: dict[str, dict[str, str]]) -> None:
    """Change the options of all daemons and have them read them."""
    cloud.configure(changes)
    words = "options were read again"
    sizes = {daemon: daemon.log.stat().st_size for daemon in cloud.daemons}
    for daemon in cloud.daemons:
        daemon.signal(signal.SIGHUP)
    for daemon, size in sizes.items():
        eventually(
            lambda d=daemon, s=size: says(d, words, s), within_s=60, what=f"{daemon.role.name}: {words}"
        )
        # It logs its options on level DEBUG as the last thing before.
        assert says(daemon, " DEBUG ", size) is bool(changes), daemon.role.name


def boot(cloud: Cloud, name: str) -> tuple[int, str]:
    """Create a server; return the status of the answer and of the server when it is no longer built."""
    doors = admin(cloud)
    wish = {"name": name, "imageRef": image_of(cloud), "flavorRef": "1", "networks": "none"}
    answer = doors.ask("POST", "/servers", {"server": wish})
    if answer.status != 202:
        return answer.status, ""
    path = f"/servers/{answer.body['server']['id']}"

    def built() -> str:
        status = doors.ask("GET", path).body["server"]["status"]
        return "" if status == "BUILD" else str(status)

    status = eventually(built, within_s=60, what=f"{name} to be built")
    doors.ask("DELETE", path)
    return answer.status, status


def image_of(cloud: Cloud) -> str:
    from nova.conf import load
    from nova.image.base import ImageQuery
    from nova.image.choice import image_store

    conf = load(["--config-file", str(cloud.home / "etc" / "nova.conf")], program="nova-api")
    return str(next(i.id for i in image_store(conf).list(ImageQuery()) if i.name == "tiny"))


def origin_refused(cloud: Cloud, origin: str) -> bool:
    """Ask for a console from a page of some origin; tell whether it was refused for that."""
    (daemon,) = cloud.of("novncproxy")
    link = http.client.HTTPConnection("127.0.0.1", daemon.role.port or 0, timeout=30)
    headers = {
        "Origin": origin, "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }  # fmt: skip
    link.request("GET", "/websockify?token=unknown", headers=headers)
    answer = link.getresponse()
    link.close()
    assert answer.status == 403
    return "may not open" in answer.reason


def metadata_status(cloud: Cloud) -> int:
    """Ask the metadata service without saying who we are."""
    (daemon,) = cloud.of("metadata")
    link = http.client.HTTPConnection("127.0.0.1", daemon.role.port or 0, timeout=30)
    link.request("GET", "/latest/meta-data/")
    status = link.getresponse().status
    link.close()
    return status


def test_nothing_was_left_running(cloud: Cloud) -> None:
    """No daemon ended by itself in all of this."""
    assert {daemon.role.name: daemon.ended for daemon in cloud.daemons if daemon.ended} == {}
    assert Path(cloud.home).is_dir()
