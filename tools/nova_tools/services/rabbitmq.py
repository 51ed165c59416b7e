"""A RabbitMQ node that listens on the loopback address only and shares nothing with other nodes."""

from __future__ import annotations

import contextlib
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

from nova_tools.commands import environment, run
from nova_tools.processes import Program
from nova_tools.trouble import Trouble

_AMQP_HELLO = b"AMQP\x00\x00\x09\x01"


@dataclass(frozen=True, kw_only=True)
class RabbitMQ:
    """One node; ``dist_port`` and ``epmd_port`` are Erlang's own (no port is shared with another node)."""

    directory: Path
    port: int
    dist_port: int
    epmd_port: int
    address: str = "127.0.0.1"

    @property
    def transport_url(self) -> str:
        """What goes into ``transport_url``; the account is RabbitMQ's built-in one, loopback only."""
        return f"rabbit://guest:guest@{self.address}:{self.port}/"

    def prepare(self) -> None:
        """Make the directories and the (empty) list of plugins. Idempotent."""
        for name in ("mnesia", "log", "home"):
            (self.directory / name).mkdir(parents=True, exist_ok=True)
        (self.directory / "enabled_plugins").write_text("[].\n")
        # Memory is measured against the machine, not against what is free: leave room for guests.
        (self.directory / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = {self.address}:{self.port}\n"
            "vm_memory_high_watermark.absolute = 512MiB\n"
            "disk_free_limit.absolute = 50MB\n"
            "log.console = true\n"
            "log.connection.level = error\n"
        )

    def program(self, name: str = "rabbitmq") -> Program:
        """Return how to run the node; it is ready when it answers the AMQP greeting."""
        return Program(
            name=name,
            argv=(str(_sbin() / "rabbitmq-server"),),
            env=self._env(),
            address=self.address,
            port=self.port,
            ready=self.greets,
            start_seconds=180,
            stop_seconds=60,
            after_stop=self._stop_epmd,
        )

    def greets(self) -> bool:
        """Tell whether an AMQP 0-9-1 client would be received."""
        try:
            with socket.create_connection((self.address, self.port), timeout=2) as link:
                link.settimeout(2)
                link.sendall(_AMQP_HELLO)
                return link.recv(1) == b"\x01"
        except OSError:
            return False

    @property
    def node(self) -> str:
        """The node's name."""
        return f"nova{self.port}@localhost"

    def control(self, *words: str) -> str:
        """Run ``rabbitmqctl`` and return what it prints."""
        argv = [str(_sbin() / "rabbitmqctl"), "-n", self.node, *words]
        return run(argv, env=environment(**self._env()), seconds=90)

    def _env(self) -> dict[str, str]:
        return {
            "RABBITMQ_NODENAME": self.node,
            "RABBITMQ_DIST_PORT": str(self.dist_port),
            "ERL_EPMD_PORT": str(self.epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_CONFIG_FILE": str(self.directory / "rabbitmq"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_MNESIA_BASE": str(self.directory / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.directory / "log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.directory / "enabled_plugins"),
            # Without the busy wait of idle schedulers a small machine has its processors back.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+sbwt none +sbwtdcpu none +sbwtdio none +S 1:1",
            "HOME": str(self.directory / "home"),
        }

    def _stop_epmd(self) -> None:
        """End the port mapper that the node left behind (it is this node's alone)."""
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            subprocess.run(
                ["epmd", "-port", str(self.epmd_port), "-kill"],
                env=environment(), capture_output=True, timeout=10, check=False,
            )  # fmt: skip


def _sbin() -> Path:
    found = sorted(Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*/sbin"))
    if not found:
        raise Trouble("RabbitMQ is not installed", "Install the package rabbitmq-server")
    return found[-1]
