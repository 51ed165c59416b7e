"""A real MariaDB server for a test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from nova_tools.ports import free_port
from nova_tools.services.mariadb import MariaDB
from tests.support.services import running, scratch_directory


@contextmanager
def mariadb() -> Iterator[MariaDB]:
    """Run a server (about a second to start); ``.create(name)`` and ``.url(name)`` give databases."""
    with scratch_directory("mariadb") as directory:
        server = MariaDB(directory=directory, port=free_port(), durable=False)
        server.prepare()
        with running(directory, server.program()):
            yield server
