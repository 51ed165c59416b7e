"""A PostgreSQL server; it refuses to run as root, so it runs as Debian's user ``postgres``."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from nova_tools.commands import environment, run
from nova_tools.processes import Program
from nova_tools.trouble import Trouble


@dataclass(frozen=True, kw_only=True)
class PostgreSQL:
    """One cluster on its own directory, which the user ``postgres`` must be able to reach."""

    directory: Path
    port: int
    address: str = "127.0.0.1"
    durable: bool = True

    def url(self, database: str) -> str:
        """Return the SQLAlchemy URL of a database (loopback connections are trusted)."""
        return f"postgresql+psycopg://nova@{self.address}:{self.port}/{database}"

    def prepare(self) -> None:
        """Make the cluster once. Idempotent: an unfinished attempt is begun anew."""
        data = self.directory / "data"
        if data.exists():
            return
        unfinished = self.directory / "data.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        self.directory.mkdir(parents=True, exist_ok=True)
        self._require_reachable()
        shutil.chown(self.directory, "postgres", "postgres")
        initdb = [*_as_postgres(), str(_bin() / "initdb"), "-D", str(unfinished)]
        run([*initdb, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-U", "postgres"], seconds=120)
        unfinished.rename(data)

    def program(self, name: str = "postgresql") -> Program:
        """Return how to run the server; SIGINT is its fast shutdown."""
        fsync = "on" if self.durable else "off"
        settings = {
            "listen_addresses": self.address, "port": self.port, "unix_socket_directories": self.directory,
            "fsync": fsync, "synchronous_commit": fsync, "shared_buffers": "32MB", "max_connections": 200,
        }  # fmt: skip
        options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        return Program(
            name=name,
            argv=(*_as_postgres(), str(_bin() / "postgres"), "-D", str(self.directory / "data"), *options),
            address=self.address,
            port=self.port,
            ready=self.answers,
            start_seconds=60,
            stop_seconds=30,
            stop_signal=signal.SIGINT,
        )

    def answers(self) -> bool:
        """Tell whether the server answers a query."""
        asked = subprocess.run(
            self._client("select 1"), env=environment(), capture_output=True, timeout=20, check=False, cwd="/"
        )
        return asked.returncode == 0

    def create(self, database: str) -> None:
        """Make a database and its owner ``nova``. Idempotent."""
        if not self._ask("select 1 from pg_roles where rolname = 'nova'"):
            self._ask("create role nova login superuser")
        if not self._ask(f"select 1 from pg_database where datname = '{database}'"):
            self._ask(f'create database "{database}" owner nova')

    def drop(self, database: str) -> None:
        """Remove a database, whoever is connected. Idempotent."""
        self._ask(f'drop database if exists "{database}" with (force)')

    def _ask(self, statement: str) -> str:
        return run(self._client(statement), seconds=30, cwd=Path("/")).strip()

    def _client(self, statement: str) -> list[str]:
        return [
            str(_bin() / "psql"), "-h", self.address, "-p", str(self.port), "-U", "postgres",
            "-d", "postgres", "-v", "ON_ERROR_STOP=1", "-qtAc", statement,
        ]  # fmt: skip

    def _require_reachable(self) -> None:
        test = subprocess.run(
            [*_as_postgres(), "test", "-x", str(self.directory)], env=environment(), check=False, timeout=10
        )
        if test.returncode != 0:
            raise Trouble(
                f"The user postgres cannot reach {self.directory}",
                "Give every directory above it the x permission for others, or choose another place",
            )


def _bin() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not found:
        raise Trouble("PostgreSQL is not installed", "Install the package postgresql")
    return found[-1].parent


def _as_postgres() -> tuple[str, ...]:
    if os.geteuid() != 0:
        return ()
    try:
        pwd.getpwnam("postgres")
    except KeyError:
        raise Trouble("There is no user postgres", "Install the package postgresql") from None
    return ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups")
