"""What the daemons of others are for: one database server, and brokers; all of them may be restarted."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from nova_tools.ports import free_port
from nova_tools.processes import Supervisor
from nova_tools.services.mariadb import MariaDB
from nova_tools.services.postgresql import PostgreSQL
from nova_tools.torture.brokers import PATIENCE_S, Brokers
from nova_tools.torture.proxy import Proxy

NAME = "nova"


class Backing:
    """Database behind its proxy, and brokers."""

    def __init__(self, home: Path, database: str, brokers: int = 1) -> None:
        server = MariaDB if database == "mariadb" else PostgreSQL
        self.home = home
        self.database: MariaDB | PostgreSQL = server(directory=home / database, port=free_port())
        self._supervisor = Supervisor(home / "run", home / "logs")
        self.brokers = Brokers(home, self._supervisor, brokers)
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
        self.start_database()
        self.database.create(NAME)
        self._proxy = Proxy(self._proxy_port, (self.database.address, self.database.port))
        self.brokers.start()

    def stop(self) -> None:
        """End everything that was started."""
        if self._proxy is not None:
            self._proxy.close()
        self.brokers.stop()
        self._supervisor.end(self.database.program())

    def start_database(self) -> None:
        self._supervisor.start(dataclasses.replace(self.database.program(), start_seconds=PATIENCE_S))

    def stop_database(self, *, kill: bool = False) -> None:
        """End the database server, in good order or at once."""
        if kill:
            self._supervisor.kill(self.database.program().name)
        else:
            self._supervisor.end(self.database.program())
