"""Real guests through the stock clients: what they are told, what can be done with them, what they bear."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from nova_tools.waiting import wait_until
from tests.support import browser, netns
from tests.support.clients import Clients
from tests.support.libvirt import entered
from tests.support.logged_in import BOOT_SECONDS, Guest
from tests.support.netns import Namespace, namespace
from tests.support.one_machine import OneMachine, missing

pytestmark = [
    pytest.mark.skipif(not netns.CAN_MAKE, reason="network namespaces need root"),
    pytest.mark.skipif(bool(missing()), reason=f"not installed: {missing()}"),
    pytest.mark.timeout(1500),
]

INTERNET = "203.0.113.9"
USER_DATA = """#!/bin/sh
echo "user data of $(hostname)"
"""
# Debian's busybox wget dies when it is given a timeout; nc with a request of our own does not.
FETCH = (
    "printf 'GET {} HTTP/1.0\\r\\nHost: m\\r\\n\\r\\n' | timeout 20 nc 169.254.169.254 80 | sed '1,/^\\r*$/d'"
)

POST = (
    "printf 'POST {} HTTP/1.0\\r\\nHost: m\\r\\nContent-Length: {}\\r\\n\\r\\n{}'"
    " | timeout 20 nc 169.254.169.254 80 | head -n 1"
)


@pytest.fixture(scope="module")
def first(real: OneMachine, real_cli: Clients) -> Guest:
    """The server that ``up`` booted."""
    return Guest(real, real_cli, "first")


@pytest.fixture(scope="module")
def told(real: OneMachine, real_cli: Clients, tmp_path_factory: pytest.TempPathFactory) -> Guest:
    """A server with key, user data, metadata and tags, told of them by the metadata service."""
    data = tmp_path_factory.mktemp("told") / "data"
    data.write_text(USER_DATA)
    real_cli(
        "openstack server create --image tiny --flavor m1.nano --key-name demo --nic auto"
        f" --user-data {data} --property role=web --wait told"
    )
    # The next one boots meanwhile.
    real_cli(
        "nova boot --image tiny --flavor m1.nano --key-name demo --nic none --config-drive true"
        f" --user-data {data} --meta role=drive driven"
    )
    return Guest(real, real_cli, "told")


def test_a_guest_reads_of_itself_at_the_metadata_service(told: Guest) -> None:
    told.expect("user-data: user data of told")
    openstack = json.loads(told.ssh(FETCH.format("/openstack/latest/meta_data.json")))
    assert (openstack["uuid"], openstack["name"], openstack["meta"]) == (told.id, "told", {"role": "web"})
    ec2 = FETCH.format("/latest/meta-data/{}")
    assert told.ssh(ec2.format("local-ipv4")) == told.address
    assert told.ssh(ec2.format("instance-id")).startswith("i-")
    assert (
        told.ssh(ec2.format("public-keys/0/openssh-key"))
        in Path(f"{told._machine.cloud.key_file}.pub").read_text()
    )
    assert told.ssh(FETCH.format("/latest/user-data")) == USER_DATA.strip()
    assert told.ssh(FETCH.format("/openstack/latest/user_data")) == USER_DATA.strip()
    assert told.ssh("hostname").startswith("told")


def test_a_guest_tells_its_password_once_until_its_user_clears_it(told: Guest, real_cli: Clients) -> None:
    def tell(password: str) -> str:
        return told.ssh(POST.format("/openstack/latest/password", len(password), password)).split()[1]

    assert "c2VjcmV0" not in real_cli("nova get-password told")
    assert tell("c2VjcmV0") == "200"
    assert tell("b3RoZXI=") == "409"
    assert "c2VjcmV0" in real_cli("nova get-password told")
    real_cli("nova clear-password told")
    assert "c2VjcmV0" not in real_cli("nova get-password told")
    assert tell("b3RoZXI=") == "200"
    assert "b3RoZXI=" in real_cli("nova get-password told")


def test_a_guest_without_a_network_reads_its_config_drive(
    real: OneMachine, real_cli: Clients, told: Guest
) -> None:
    driven = Guest(real, real_cli, "driven")
    seen = driven.expect("user-data: user data of driven")
    assert "metadata from: config drive" in seen
    assert "ssh keys:    1" in seen
    assert driven.shown()["addresses"] == {}


@pytest.fixture(scope="module")
def internet(real: OneMachine) -> Iterator[Namespace]:
    """Something beyond the host that knows nothing of the guests' addresses."""
    with namespace("world") as world:
        netns.cable(real.network, "uplink", world, "eth0")
        real.network.ip("addr", "add", "203.0.113.1/24", "dev", "uplink")
        world.ip("addr", "add", f"{INTERNET}/24", "dev", "eth0")
        yield world
        real.network.ip("link", "del", "uplink")


def test_a_guest_reaches_the_world_behind_the_hosts_address(told: Guest, internet: Namespace) -> None:
    assert "1 packets received" in told.ssh(f"ping -c 1 -W 20 {INTERNET}")
    # Without translation the world would not know the way back.
    assert internet.run("ping", "-c", "1", "-W", "1", told.address, check=False).returncode != 0


def test_a_guest_cannot_take_the_address_of_another(told: Guest) -> None:
    host = told.address.rsplit(".", 1)[0] + ".1"
    false = told.address.rsplit(".", 1)[0] + ".77"
    told.ssh(f"ip addr add {false}/24 dev eth0")
    said = told.ssh(f"ping -c 2 -W 2 -I {false} {host}; ping -c 1 -W 20 -I {told.address} {host}")
    told.ssh(f"ip addr del {false}/24 dev eth0")
    assert "2 packets transmitted, 0 packets received" in said
    assert "1 packets transmitted, 1 packets received" in said


def test_security_groups_open_and_close_a_running_guest(told: Guest, real_cli: Clients) -> None:
    assert told.ssh("echo in") == "in"
    real_cli("nova remove-secgroup told default")
    assert wait_until(lambda: told.try_ssh("echo in").returncode == 255, 60), "still lets us in"
    real_cli("nova add-secgroup told default")
    assert told.ssh("echo in again") == "in again"


def test_memory_and_disks_live_through_what_an_owner_does(first: Guest, real_cli: Clients) -> None:
    first.ssh("echo disk > /root/marker; echo memory > /tmp/marker; sync")
    for down, status, up in (
        ("openstack server pause first", "PAUSED", "nova unpause first"),
        ("nova suspend first", "SUSPENDED", "openstack server resume first"),
    ):
        real_cli(down)
        first.wait(status)
        real_cli(up)
        first.wait("ACTIVE")
        assert first.ssh("cat /tmp/marker") == "memory"
    real_cli("openstack server image create --name shot --wait first")
    real_cli("openstack server create --image shot --flavor m1.nano --key-name demo --nic auto again")
    for command in ("nova reboot first", "openstack server reboot --hard --wait first"):
        before = first.ssh("cat /proc/sys/kernel/random/boot_id")
        real_cli(command)
        first.wait("ACTIVE")
        assert wait_until(
            lambda before=before: first.ssh("cat /proc/sys/kernel/random/boot_id") != before, BOOT_SECONDS
        )
        assert first.ssh("cat /root/marker; ls /tmp/marker 2>/dev/null || true") == "disk"
    again = Guest(first._machine, real_cli, "again")
    assert again.wait("ACTIVE")["image"].startswith("shot (")
    assert Guest(first._machine, real_cli, "again").ssh("cat /root/marker") == "disk"
    real_cli("openstack server delete --wait again")
    real_cli("openstack image delete shot")


def test_guests_do_not_notice_that_the_cloud_is_killed(real: OneMachine, first: Guest) -> None:
    boot = first.ssh("cat /proc/sys/kernel/random/boot_id")
    with entered(real.network):
        real.cloud.supervisor.kill("nova-all")
    assert first.ssh("cat /proc/sys/kernel/random/boot_id") == boot, "its network is there without us"
    assert real.status()["nova-all"]["health"] == "stopped"
    said = real.up()
    assert f"Server first ({first.id}) is ACTIVE" in said
    assert first.ssh("cat /proc/sys/kernel/random/boot_id") == boot


@pytest.mark.skipif(browser.program() is None, reason="Chromium is not installed")
def test_the_page_of_the_console_shows_the_screen_and_takes_keys(first: Guest, real_cli: Clients) -> None:
    link = real_cli.json("openstack console url show --novnc first")["url"]
    with browser.browser(first._machine.network) as page:
        page.open(link)
        look = "document.querySelector('canvas') ? document.querySelector('canvas').width : 0"
        assert wait_until(lambda: (page.value(look) or 0) >= 640, 60), page.value("document.body.innerText")
        assert "Connected" in page.value("document.getElementById('status').textContent")
        page.value("document.querySelector('canvas').focus()")
        # Text on black: most of the screen is dark, some of it is not.
        bright = """(() => { const c = document.querySelector('canvas');
            const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; let n = 0;
            for (let i = 0; i < d.length; i += 4) if (d[i] > 100) n++; return n / (d.length / 4); })()"""
        assert wait_until(lambda: 0.001 < page.value(bright) < 0.5, 60), page.value(bright)
        assert wait_until(lambda: _logs_in(page, first), 120, pause=0.5), "no login on the screen's terminal"
        page.type("echo typed-ok > /dev/ttyS0\n")
        first.expect("typed-ok", 60)
        dark_before = page.screenshot()
        page.type("clear\n")
        assert wait_until(lambda: page.screenshot() != dark_before, 30), "the screen does not change"


def _logs_in(page: browser.Page, guest: Guest) -> bool:
    """Type name and password on the first virtual terminal; the guest itself tells what came of it."""
    page.type("root\n")
    if not wait_until(lambda: "login" in _on_screen(guest), 20, pause=0.2):
        return False
    page.type("tiny\n")
    return wait_until(lambda: "sh" in _on_screen(guest), 20, pause=0.2)


def _on_screen(guest: Guest) -> str:
    """Name the program that has the first virtual terminal."""
    script = (
        "for p in /proc/[0-9]*; do"
        " [ \"$(readlink $p/fd/0)\" = /dev/tty1 ] && cut -d' ' -f2 $p/stat; done; true"
    )
    return guest.ssh(script)


def test_everything_ends_and_leaves_nothing(real: OneMachine, first: Guest) -> None:
    done = real.run("down")
    assert done.returncode == 0 and "nova-all stopped" in done.stdout, done
    assert {daemon["health"] for daemon in real.status().values()} == {"stopped"}
    left = real.network.run("ip", "netns", "pids", real.network.name).stdout.split()
    commands = [
        Path(f"/proc/{pid}/comm").read_text().strip() for pid in left if Path(f"/proc/{pid}").exists()
    ]
    assert not {"qemu-system-x86", "dnsmasq", "libvirtd", "nova-all"} & set(commands), commands
    assert "br100" not in real.network.ip("-br", "link") and shutil.which("ip")
