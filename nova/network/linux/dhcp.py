"""dnsmasq: one process for each network, which outlives us and is found again.

Each network has a folder of its own below ``networks_path``::

    dnsmasq.conf  hosts  opts    what it reads (the last two again on SIGHUP)
    pid  started  served         who runs, for which configuration and bridge, and the hosts it was told of
    lease-hook  events           its callback, and events nobody took yet
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import selectors
import shlex
import shutil
import signal
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from nova.errors.host import CommandFailed
from nova.errors.network import AddressHeld, ForeignServer
from nova.network import dhcpbridge
from nova.network.linux import dhcp_release, dhcp_servers
from nova.network.options import NetworkOptions
from nova.network.render import dnsmasq
from nova.network.topology.base import DhcpPlan
from nova.objects.holdings import DhcpEntry, Stray
from nova.objects.ids import NetworkId
from nova.privsep.run import run

_LOG = logging.getLogger(__name__)

START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 3.0

Release = Callable[[str, str, str, str], None]
"""Device, MAC, address, server: give a lease back."""


class Dhcp:
    """The DHCP servers of this host."""

    def __init__(self, options: NetworkOptions, release: Release = dhcp_release.release) -> None:
        self._options = options
        self._release = release
        self._root = Path(options.networks_path)
        self._told_user = False

    def spools(self) -> list[Path]:
        """Name the files in which the callback keeps events while nobody listens."""
        return [folder / "events" for folder in self._folders()]

    def apply(self, plan: DhcpPlan, bridge_index: int) -> list[str]:
        """Serve a network as planned; return what had to be changed, in words.

        ``bridge_index`` tells one life of the bridge from the next: dnsmasq is bound to it.
        """
        folder = self._folder(plan.network)
        configuration = plan.configuration + _own_lines(folder, self._user())
        _write(folder / "lease-hook", self._hook(folder, plan.network), 0o755)
        _write(folder / "dnsmasq.conf", configuration, 0o644)
        _write(folder / "opts", plan.options, 0o644)
        _write(folder / "hosts", plan.hosts, 0o644)
        started_for = f"{bridge_index}\n{configuration}\n{plan.options}"
        fingerprint = hashlib.sha256(started_for.encode()).hexdigest()
        served = _read(folder / "served")
        done: list[str] = []
        pid = _pid(folder)
        if pid is None or _read(folder / "started") != fingerprint:
            done.append(self._restart(folder, fingerprint, plan))
        elif served != plan.hosts:
            os.kill(pid, signal.SIGHUP)
            done.append(f"DHCP hosts of {plan.bridge} changed")
        for mac, address in sorted(dnsmasq.pairs(served) - dnsmasq.pairs(plan.hosts)):
            self._give_back(plan, mac, address)
        # Last: after a crash before this line all of it is done again.
        _write(folder / "served", plan.hosts, 0o644)
        return done

    def remove_unplanned(self, planned: Iterable[NetworkId]) -> list[str]:
        """End the servers of networks that are no longer ours, and forget their files."""
        wanted, done = {_safe(network) for network in planned}, []
        # A server may outlive its folder: everything that runs from below our root is ours.
        known = {f.name for f in self._folders()} | {f.name for f in self._served_folders()}
        for folder in sorted(self._root / name for name in known - wanted):
            stopped = _stop(folder)
            shutil.rmtree(folder, ignore_errors=True)
            done.append(f"DHCP service {folder.name} {'ended' if stopped else 'forgotten'}")
        return done

    def holdings(self) -> tuple[tuple[DhcpEntry, ...], tuple[Stray, ...]]:
        """Return the addresses that are given out, and the servers that should run and do not."""
        entries, strays = [], []
        for folder in self._folders():
            for mac, address in sorted(dnsmasq.pairs(_read(folder / "hosts"))):
                entries.append(DhcpEntry(network_id=NetworkId(folder.name), mac=mac, address=address))
            if _pid(folder) is None:
                words = f"The DHCP service of network {folder.name} does not run."
                strays.append(Stray(what="dhcp", name=folder.name, sentence=words))
        return tuple(entries), tuple(strays)

    def _served_folders(self) -> list[Path]:
        folders = [server.configuration.parent for server in dhcp_servers.running()]
        return [folder for folder in folders if folder.parent == self._root]

    def _folders(self) -> list[Path]:
        try:
            return sorted(f for f in self._root.iterdir() if (f / "dnsmasq.conf").exists())
        except FileNotFoundError:
            return []

    def _folder(self, network: NetworkId) -> Path:
        folder = self._root / _safe(network)
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        return folder

    def _user(self) -> str:
        """Return whom dnsmasq becomes: the user of the options, or root when our folders are closed to it."""
        chosen = self._options.dnsmasq_user
        if chosen in ("", "root"):
            return chosen
        for folder in (self._root, *self._root.parents):
            if not folder.stat().st_mode & 0o001:
                if not self._told_user:
                    _LOG.warning("dnsmasq runs as root: %s is closed to user %s", folder, chosen)
                self._told_user = True
                return "root"
        return chosen

    def _hook(self, folder: Path, network: NetworkId) -> str:
        if self._options.dhcpbridge:
            program = [self._options.dhcpbridge]
        else:
            program = [sys.executable, "-I", "-S", os.path.abspath(dhcpbridge.__file__)]
        words = [*program, self._options.lease_socket, str(folder / "events"), network]
        # A HUP makes dnsmasq say "old" for every lease; a shell answers that thirty times faster.
        return f'#!/bin/sh\ncase "$1" in init|add|del) exec {shlex.join(words)} "$@";; esac\n'

    def _restart(self, folder: Path, fingerprint: str, plan: DhcpPlan) -> str:
        stopped = _stop(folder)
        argv = [self._options.dnsmasq_program, f"--conf-file={folder / 'dnsmasq.conf'}"]
        try:
            # It goes to the background by itself, after it has bound its sockets.
            run(argv, timeout_s=START_TIMEOUT_S)
        except CommandFailed:
            held = dhcp_servers.holder(plan.server)
            if held is None:
                raise
            raise AddressHeld(
                address=plan.server, port=held.port, bridge=plan.bridge, holder=held.words
            ) from None
        _write(folder / "started", fingerprint, 0o644)
        return f"DHCP service on {plan.bridge} {'restarted' if stopped else 'started'}"

    def _give_back(self, plan: DhcpPlan, mac: str, address: str) -> None:
        try:
            self._release(plan.bridge, mac, address, plan.server)
        except OSError as error:
            _LOG.warning("the lease of %s could not be given back: %s", address, error)


def _own_lines(folder: Path, user: str) -> str:
    names = {
        "pid-file": "pid",
        "dhcp-hostsfile": "hosts",
        "dhcp-optsfile": "opts",
        "dhcp-script": "lease-hook",
    }
    lines = [f"{option}={folder / name}\n" for option, name in names.items()]
    return "".join([*lines, *([f"user={user}\n"] if user else [])])


def _safe(network: NetworkId) -> str:
    """Return a network's id as the name of a folder."""
    if not network or network.strip(".") == "" or "/" in network or "\0" in network:
        raise ValueError(f"{network!r} is no id of a network")
    return network


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except FileNotFoundError:
        return ""


def _write(path: Path, text: str, mode: int) -> None:
    """Replace a file at once if its content differs.  Derived data: not worth waiting for the disk."""
    if path.exists() and _read(path) == text:
        return
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(text, "utf-8")
    beside.chmod(mode)
    os.replace(beside, path)


def _pid(folder: Path) -> int | None:
    """Return the pid of this folder's server, if it lives and shares our network namespace."""
    try:
        pid = int((folder / "pid").read_text())
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return None
    if f"--conf-file={folder / 'dnsmasq.conf'}".encode() not in words:
        return None
    try:
        same = os.stat(f"/proc/{pid}/ns/net").st_ino == os.stat("/proc/thread-self/ns/net").st_ino
    except OSError:
        return None
    if not same:
        raise ForeignServer(folder=str(folder), pid=pid)
    return pid


def _stop(folder: Path) -> bool:
    """End every server of a folder, also one that its pid file does not know; tell whether there was one."""
    _pid(folder)  # refuses a folder that is in use elsewhere
    (folder / "started").unlink(missing_ok=True)
    configuration = folder / "dnsmasq.conf"
    pids = [server.pid for server in dhcp_servers.running() if server.configuration == configuration]
    ended = [_end(pid) for pid in pids]
    (folder / "pid").unlink(missing_ok=True)
    return any(ended)


def _end(pid: int) -> bool:
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(handle, selectors.EVENT_READ)
            for number in (signal.SIGTERM, signal.SIGKILL):
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(handle, number)
                if selector.select(STOP_TIMEOUT_S):
                    break
    finally:
        os.close(handle)
    return True
