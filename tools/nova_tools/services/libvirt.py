"""A libvirt daemon of our own: private configuration, sockets and state in one directory."""

from __future__ import annotations

import subprocess
import urllib.parse
import uuid
from dataclasses import dataclass
from pathlib import Path

from nova_tools.commands import environment
from nova_tools.processes import Program
from nova_tools.waiting import wait_until

_QEMU_CONF = """\
user = "root"
group = "root"
security_driver = "none"
cgroup_controllers = []
namespaces = []
dynamic_ownership = 0
remember_owner = 0
stdio_handler = "file"
vnc_listen = "127.0.0.1"
"""

_LIBVIRTD_CONF = """\
listen_tls = 0
listen_tcp = 0
unix_sock_dir = "{sockets}"
unix_sock_group = "root"
auth_unix_ro = "none"
auth_unix_rw = "none"
host_uuid = "{host_uuid}"
log_outputs = "3:stderr"
"""


@dataclass(frozen=True, kw_only=True)
class Libvirt:
    """One ``libvirtd``.

    libvirt keeps guests in fixed directories (``/run/libvirt``, ``/var/lib/libvirt``, ``/etc/libvirt``);
    the daemon runs in a mount namespace where those are directories of ours, so that it can stand beside
    the machine's own and beside others.
    """

    directory: Path
    cache: Path | None = None
    """Where it keeps what it found out about QEMU (8 s of work); in ``directory`` unless named."""

    @property
    def socket(self) -> Path:
        """The socket clients connect to; it lies outside the private directories."""
        return self.directory / "sock" / "libvirt-sock"

    @property
    def uri(self) -> str:
        """The connection URI for clients in any mount namespace."""
        return f"qemu+unix:///system?socket={urllib.parse.quote(str(self.socket))}"

    @property
    def _places(self) -> dict[str, Path]:
        return {
            "/run/libvirt": self.directory / "run",
            "/var/lib/libvirt": self.directory / "lib",
            "/var/cache/libvirt": self.cache or self.directory / "cache",
            "/var/log/libvirt": self.directory / "log",
            "/etc/libvirt": self.directory / "etc",
        }

    def prepare(self) -> None:
        """Write the configuration. Idempotent; the host's uuid is kept."""
        for place in (*self._places.values(), self.directory / "sock", self.directory / "etc" / "qemu"):
            place.mkdir(parents=True, exist_ok=True)
        identity = self.directory / "host_uuid"
        if not identity.exists():
            identity.write_text(str(uuid.uuid4()))
        config = _LIBVIRTD_CONF.format(sockets=self.directory / "sock", host_uuid=identity.read_text())
        (self.directory / "libvirtd.conf").write_text(config)
        (self.directory / "etc" / "qemu.conf").write_text(_QEMU_CONF)
        (self.directory / "start").write_text(self._start_script())

    def _start_script(self) -> str:
        lines = ["#!/bin/sh", "set -e"]
        for fixed, own in self._places.items():
            lines.append(f"mkdir -p {fixed}")
            lines.append(f"mount --bind '{own}' {fixed}")
        own = self.directory
        lines.append(f"exec libvirtd --config '{own}/libvirtd.conf' --pid-file '{own}/libvirtd.pid'")
        return "\n".join(lines) + "\n"

    def program(self, name: str = "libvirtd") -> Program:
        """Return how to run the daemon; guests live on when it ends."""
        return Program(
            name=name,
            argv=("unshare", "--mount", "--propagation", "private", "sh", str(self.directory / "start")),
            ready=self.answers,
            start_seconds=60,
            stop_seconds=30,
        )

    def answers(self) -> bool:
        """Tell whether the daemon answers a client."""
        if not self.socket.exists():
            return False
        asked = subprocess.run(
            ["virsh", "-c", self.uri, "uri"], env=environment(), capture_output=True, timeout=20, check=False
        )
        return asked.returncode == 0

    def shut_down_guests(self, seconds: float = 10.0) -> int:
        """Press each running guest's power button, end those that do not obey; return how many there were."""
        running = self._virsh("list", "--uuid").split()
        for guest in running:
            self._virsh("shutdown", guest)
        if running and not wait_until(lambda: not self._virsh("list", "--uuid").split(), seconds, pause=0.3):
            for guest in self._virsh("list", "--uuid").split():
                self._virsh("destroy", guest)
        return len(running)

    def destroy_guests(self) -> int:
        """End every guest of this daemon and forget it; return how many there were."""
        listed = self._virsh("list", "--all", "--uuid").split()
        for guest in listed:
            self._virsh("destroy", guest)
            self._virsh("undefine", guest, "--managed-save", "--snapshots-metadata", "--nvram")
        return len(listed)

    def _virsh(self, *words: str) -> str:
        done = subprocess.run(
            ["virsh", "-c", self.uri, *words],
            env=environment(), capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        return done.stdout
