"""What the daemons of others are for: one database server and one broker, both of which may be restarted."""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path

from nova_tools.ports import free_port
from nova_tools.processes import Supervisor
from nova_tools.services.mariadb import MariaDB
from nova_tools.services.postgresql import PostgreSQL
from nova_tools.services.rabbitmq import RabbitMQ
from nova_tools.torture.proxy import Proxy

NAME = "nova"
PATIENCE_S = 600.0
"""How long a server of others may take to start: the machine is busy."""


class Backing:
    """Database behind its proxy, and broker."""

    def __init__(self, home: Path, database: str) -> None:
        server = MariaDB if database == "mariadb" else PostgreSQL
        self.home = home
        self.database: MariaDB | PostgreSQL = server(directory=home / database, port=free_port())
        self.broker = RabbitMQ(
            directory=home / "rabbitmq", port=free_port(), dist_port=free_port(), epmd_port=free_port()
        )
        self._supervisor = Supervisor(home / "run", home / "logs")
        self._proxy_port = free_port()
        self._proxy: Proxy | None = None

    @property
    def proxy(self) -> Proxy:
        """The proxy before the database, once :meth:`start` was called."""
        assert self._proxy is not None
        return self._proxy

    @property
    def direct_url(self) -> str:
        """The database itself, for the judge."""
        return self.database.url(NAME)

    @property
    def proxied_url(self) -> str:
        """The database through the proxy, for conductors."""
        return self.direct_url.replace(f":{self.database.port}/", f":{self._proxy_port}/")

    def start(self) -> None:
        """Make and start everything."""
        self.database.prepare()
        self.broker.prepare()
        self.start_database()
        self.database.create(NAME)
        self._proxy = Proxy(self._proxy_port, (self.database.address, self.database.port))
        self.start_broker()

    def stop(self) -> None:
        """End everything that was started."""
        if self._proxy is not None:
            self._proxy.close()
        self.stop_broker()
        self._supervisor.end(self.database.program())

    def start_database(self) -> None:
        self._supervisor.start(dataclasses.replace(self.database.program(), start_seconds=PATIENCE_S))

    def stop_database(self, *, kill: bool = False) -> None:
        """End the database server, in good order or at once."""
        if kill:
            self._supervisor.kill(self.database.program().name)
        else:
            self._supervisor.end(self.database.program())

    def start_broker(self) -> None:
        self._supervisor.start(dataclasses.replace(self.broker.program(), start_seconds=PATIENCE_S))

    def stop_broker(self, *, kill: bool = False) -> None:
        """End the broker, in good order or at once."""
        if kill:
            self._supervisor.kill(self.broker.program().name)
        else:
            self._supervisor.end(self.broker.program())

    def delete_queues(self) -> list[str]:
        """Delete every queue with what is in it; return their names."""
        import amqp

        found = self.broker.control("list_queues", "-q", "--no-table-headers", "name").split()
        # Queues of one connection alone (what is said to all) cannot be deleted by another one.
        names = [name for name in found if not name.startswith("amq.")]
        link = amqp.Connection(f"{self.broker.address}:{self.broker.port}", userid="guest", password="guest")
        with contextlib.closing(link):
            link.connect()
            for name in names:
                with link.channel() as channel:
                    channel.queue_delete(name)
        return names
