"""A private RabbitMQ for tests: own ports, own directories, gone with the ``with`` block."""

from __future__ import annotations

import contextlib
import glob
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator


def server_program() -> str | None:
    """Return the path of the server program, or none when RabbitMQ is not installed."""
    found = sorted(glob.glob("/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server"))
    return found[-1] if found else None


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


class Broker:
    """One RabbitMQ node; may be stopped, killed and started again on the same data."""

    def __init__(self, home: pathlib.Path) -> None:
        self.home = home
        self.port = _free_port()
        self._dist_port = _free_port()
        self.node = f"nova{self.port}@localhost"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """A transport URL for the default virtual host."""
        return f"rabbit://guest:guest@127.0.0.1:{self.port}/"

    def _environment(self) -> dict[str, str]:
        plugins = self.home / "enabled_plugins"
        plugins.write_text("[].")
        return {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "HOME": str(self.home),
            "RABBITMQ_NODENAME": self.node,
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._dist_port),
            "RABBITMQ_MNESIA_BASE": str(self.home / "data"),
            "RABBITMQ_LOG_BASE": str(self.home / "log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(plugins),
            "RABBITMQ_CONFIG_FILE": str(self.home / "rabbitmq"),
            # One scheduler is enough for tests and leaves the machine to them.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none",
            "ERL_EPMD_ADDRESS": "127.0.0.1",
        }

    def start(self, timeout_s: float = 90.0) -> None:
        """Start the node and wait until it takes connections; ``RuntimeError`` if it does not."""
        program = server_program()
        if program is None:
            raise RuntimeError("RabbitMQ is not installed (apt-get install rabbitmq-server)")
        with (self.home / "out").open("ab") as out:
            self._process = subprocess.Popen(
                [program], env=self._environment(), stdout=out, stderr=out, start_new_session=True
            )
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as sock:
                sock.settimeout(5)
                # The port opens before the node serves; it answers a wrong greeting only when it does.
                sock.sendall(b"AMQP\x00\x00\x09\x00")
                if sock.recv(4) == b"AMQP":
                    return
            time.sleep(0.1)
        raise RuntimeError("RabbitMQ did not start: " + (self.home / "out").read_text()[-2000:])

    def control(self, *arguments: str) -> str:
        """Run ``rabbitmqctl``."""
        program = server_program()
        assert program is not None
        ctl = str(pathlib.Path(program).with_name("rabbitmqctl"))
        done = subprocess.run(
            [ctl, "-n", self.node, *arguments],
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return done.stdout

    def kill(self) -> None:
        """End the node at once, as a power cut does."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(10)
            self._process = None

    def stop(self) -> None:
        """End the node in good order."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGTERM)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()
            self._process = None


@contextlib.contextmanager
def rabbitmq() -> Iterator[Broker]:
    """Run a broker for the length of the block."""
    home = pathlib.Path(tempfile.mkdtemp(prefix="nova-rabbitmq-"))
    broker = Broker(home)
    try:
        broker.start()
        yield broker
    finally:
        broker.kill()
        shutil.rmtree(home, ignore_errors=True)
