"""A private RabbitMQ for tests: own ports, own directories, gone with the ``with`` block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nova_tools.ports import free_port
from nova_tools.processes import Supervisor
from nova_tools.services.rabbitmq import RabbitMQ
from tests.support.services import scratch_directory


class Broker:
    """One RabbitMQ node; may be stopped, killed and started again on the same data."""

    def __init__(self, home: Path) -> None:
        self._node = RabbitMQ(directory=home, port=free_port(), dist_port=free_port(), epmd_port=free_port())
        self._node.prepare()
        self._supervisor = Supervisor(home / "run", home / "log")

    @property
    def port(self) -> int:
        return self._node.port

    @property
    def url(self) -> str:
        """A transport URL for the default virtual host."""
        return self._node.transport_url

    @property
    def pid(self) -> int:
        """The broker's own process, whose CPU time is the broker's."""
        return int(self.control("eval", "os:getpid().").strip().strip('"'))

    def start(self) -> None:
        """Start the node and wait until it takes connections."""
        self._supervisor.start(self._node.program())

    def control(self, *arguments: str) -> str:
        """Run ``rabbitmqctl``."""
        return self._node.control(*arguments)

    def kill(self) -> None:
        """End the node at once, as a power cut does."""
        self._supervisor.kill("rabbitmq")

    def stop(self) -> None:
        """End the node in good order, and what it started beside itself."""
        self._supervisor.end(self._node.program())


@contextmanager
def rabbitmq() -> Iterator[Broker]:
    """Run a broker for the length of the block."""
    with scratch_directory("rabbitmq") as home:
        broker = Broker(home)
        try:
            broker.start()
            yield broker
        finally:
            broker.stop()
