"""The message brokers of a torture: one node of RabbitMQ, or several that are one cluster."""

from __future__ import annotations

import contextlib
import dataclasses
import uuid
from pathlib import Path

from nova_tools.ports import free_port
from nova_tools.processes import Program, Supervisor
from nova_tools.services.rabbitmq import RabbitMQ

PATIENCE_S = 600.0
"""How long a node may take to start: the machine is busy."""


class Brokers:
    """Nodes that are started, stopped and killed one by one."""

    def __init__(self, home: Path, supervisor: Supervisor, count: int) -> None:
        mapper = free_port()
        self.nodes = [
            RabbitMQ(
                directory=home / f"rabbitmq-{n}", port=free_port(), dist_port=free_port(), epmd_port=mapper
            )
            for n in range(1, count + 1)
        ]
        self._supervisor = supervisor

    @property
    def transport_url(self) -> str:
        """What goes into ``transport_url``: all nodes, whichever answers."""
        return f"rabbit://{','.join(f'guest:guest@{node.address}:{node.port}' for node in self.nodes)}/"

    def start(self) -> None:
        """Make and start all nodes, and let them be one cluster."""
        secret, first = uuid.uuid4().hex, self.nodes[0]
        for node in self.nodes:
            node.prepare()
            cookie = node.directory / "home" / ".erlang.cookie"
            cookie.write_text(secret)
            cookie.chmod(0o400)
            self.start_node(node)
        for node in self.nodes[1:]:
            node.control("stop_app")
            node.control("join_cluster", first.node)
            node.control("start_app")

    def start_node(self, node: RabbitMQ) -> None:
        self._supervisor.start(self._program(node))

    def stop_node(self, node: RabbitMQ, *, kill: bool = False) -> None:
        """End a node, in good order or at once."""
        if kill:
            self._supervisor.kill(self._program(node).name)
        else:
            self._supervisor.end(self._program(node))

    def stop(self) -> None:
        """End all nodes."""
        for node in self.nodes:
            self.stop_node(node)

    def delete_queues(self) -> list[str]:
        """Delete every queue with what is in it; return their names."""
        import amqp

        node = self.nodes[0]
        found = node.control("list_queues", "-q", "--no-table-headers", "name").split()
        # Queues of one connection alone (what is said to all) cannot be deleted by another one.
        names = [name for name in found if not name.startswith("amq.")]
        link = amqp.Connection(f"{node.address}:{node.port}", userid="guest", password="guest")
        with contextlib.closing(link):
            link.connect()
            for name in names:
                with link.channel() as channel:
                    channel.queue_delete(name)
        return names

    @staticmethod
    def _program(node: RabbitMQ) -> Program:
        return dataclasses.replace(node.program(node.directory.name), start_seconds=PATIENCE_S)
