"""``down`` and ``reset``: everything the cloud started or made on this machine goes away again."""

from __future__ import annotations

import ipaddress
import json
import os
import shutil
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from nova_tools import nova_conf
from nova_tools.cloud import known
from nova_tools.cloud.parts import Cloud
from nova_tools.commands import environment
from nova_tools.processes import Program
from nova_tools.progress import Progress
from nova_tools.waiting import wait_until

_FIREWALL_TABLE = "nova-network"
_KEPT = {"installed", "logs"}


def stop(cloud: Cloud, progress: Progress) -> int:
    """Stop Nova's daemons, the guests, then what was behind them; return how many daemons ran. Idempotent."""
    supervisor = cloud.supervisor
    nova, backing = cloud.nova_programs(), cloud.backing_programs()
    stopped = _end_all(cloud, nova, progress)
    if cloud.settings.driver == "libvirt" and supervisor.pid("libvirtd") is not None:
        guests = cloud.libvirt.shut_down_guests()
        if guests:
            progress.say(f"  {guests} guests stopped")
    if cloud.settings.driver == "libvirt":  # a fake cloud makes no network: what is there is another's
        _clean_network(cloud.places.home, cloud.settings.guest_range)
    stopped += _end_all(cloud, backing, progress)
    known = {program.name for program in (*nova, *backing)}
    for name in set(supervisor.names()) - known:  # of an earlier form of this cloud
        stopped += supervisor.stop(name)
    return stopped


def _end_all(cloud: Cloud, programs: list[Program], progress: Progress) -> int:
    def end(program: Program) -> int:
        ran = cloud.supervisor.end(program)
        if ran:
            progress.say(f"  {program.name} stopped")
        return int(ran)

    with ThreadPoolExecutor(max(1, len(programs))) as pool:
        return sum(pool.map(end, programs))


def _clean_network(home: Path, guest_range: str) -> None:
    """End our dnsmasq processes (they outlive nova-network on purpose), take bridge and rules away.

    Another cloud on this machine has a bridge of the same name: it stays unless only our addresses are on it.
    """
    end_dhcp_servers(home)
    if not guest_range or not is_ours(_addresses(nova_conf.BRIDGE), guest_range):
        return
    for words in (
        ["ip", "link", "delete", nova_conf.BRIDGE],
        ["nft", "delete", "table", "ip", _FIREWALL_TABLE],
    ):
        with suppress(FileNotFoundError):
            subprocess.run(words, env=environment(), capture_output=True, timeout=20, check=False)


def _addresses(device: str) -> list[str]:
    try:
        shown = subprocess.run(
            ["ip", "-j", "-4", "address", "show", "dev", device],
            env=environment(), capture_output=True, text=True, timeout=20, check=False,
        )  # fmt: skip
    except FileNotFoundError:
        return []
    links = json.loads(shown.stdout or "[]")
    return [entry["local"] for link in links for entry in link.get("addr_info", [])]


def is_ours(addresses: list[str], guest_range: str) -> bool:
    """Tell whether a bridge with these addresses is that of a cloud whose guests have this range."""
    ours = ipaddress.ip_network(guest_range)
    return all(ipaddress.ip_address(address) in ours for address in addresses)


def end_dhcp_servers(home: Path) -> int:
    """End every dnsmasq whose configuration lies below ``home``, pid file or not; return how many there were.

    When this returns their addresses are free again.
    """
    found = _dhcp_servers(home)
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in _dhcp_servers(home):
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        if wait_until(lambda: not _dhcp_servers(home), 5):
            break
    return len(found)


def _dhcp_servers(home: Path) -> list[int]:
    """List them; the helpers that dnsmasq forks end with it and count too."""
    found, below = [], f"--conf-file={home}/".encode()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            program, *words = path.read_bytes().split(b"\0")
            if program.endswith(b"dnsmasq") and any(word.startswith(below) for word in words):
                found.append(int(path.parent.name))
    return found


def remove(cloud: Cloud, progress: Progress, *, everything: bool) -> None:
    """After :func:`stop`: forget servers, databases, images, passwords; with ``everything`` all there is."""
    home = cloud.places.home
    known.keep_machine(cloud)
    for path in sorted(home.iterdir()) if home.exists() else ():
        if path.name in _KEPT and not everything:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    progress.say(f"  {home} is empty" if everything else f"  {home} keeps only what was installed, and logs")
