"""A MariaDB server with one database per name asked for, reached over the loopback address."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from nova_tools.commands import environment, run
from nova_tools.processes import Program
from nova_tools.trouble import Trouble


@dataclass(frozen=True, kw_only=True)
class MariaDB:
    """One server on its own data directory.

    ``durable=False`` gives up safety against a power cut for speed, which is what tests want.
    """

    directory: Path
    port: int
    password: str = "secret"
    address: str = "127.0.0.1"
    durable: bool = True

    @property
    def socket(self) -> Path:
        """The Unix socket, reached by root without a password."""
        return self.directory / "sql.sock"

    def url(self, database: str) -> str:
        """Return the SQLAlchemy URL of a database."""
        return f"mysql+pymysql://nova:{self.password}@{self.address}:{self.port}/{database}?charset=utf8mb4"

    def prepare(self) -> None:
        """Make the system tables once. Idempotent: an unfinished attempt is begun anew."""
        data = self.directory / "data"
        if data.exists():
            return
        unfinished = self.directory / "data.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        self.directory.mkdir(parents=True, exist_ok=True)
        run(
            [
                "mysql_install_db", "--no-defaults", "--user=root", f"--datadir={unfinished}",
                "--auth-root-authentication-method=normal", "--skip-test-db",
            ],
            log=self.directory / "install.log", seconds=120,
        )  # fmt: skip
        unfinished.rename(data)

    def program(self, name: str = "mariadb") -> Program:
        """Return how to run the server; it is ready when it answers a query."""
        flush = "1" if self.durable else "0"
        return Program(
            name=name,
            argv=(
                _mariadbd(), "--no-defaults", "--user=root", f"--datadir={self.directory / 'data'}",
                f"--socket={self.socket}", f"--port={self.port}", f"--bind-address={self.address}",
                f"--innodb-flush-log-at-trx-commit={flush}", "--skip-name-resolve", "--max-connections=200",
                "--performance-schema=OFF", "--innodb-buffer-pool-size=64M",
                f"--pid-file={self.directory / 'mariadbd.pid'}", f"--tmpdir={self.directory}",
            ),
            address=self.address,
            port=self.port,
            ready=self.answers,
            start_seconds=90,
            stop_seconds=60,
        )  # fmt: skip

    def answers(self) -> bool:
        """Tell whether the server answers a query."""
        asked = subprocess.run(
            [*self._client(), "-e", "select 1"],
            env=environment(),
            capture_output=True,
            timeout=20,
            check=False,
        )
        return asked.returncode == 0

    def create(self, database: str) -> None:
        """Make a database and the account that may use it. Idempotent."""
        who = f"'nova'@'{self.address}'"
        statements = (
            f"create database if not exists `{database}` character set utf8mb4 collate utf8mb4_bin;"
            f"create user if not exists {who} identified by '{self.password}';"
            f"grant all on *.* to {who};"
        )
        run([*self._client(), "-e", statements], seconds=30)

    def drop(self, database: str) -> None:
        """Remove a database. Idempotent."""
        run([*self._client(), "-e", f"drop database if exists `{database}`"], seconds=30)

    def _client(self) -> list[str]:
        return ["mariadb", "--no-defaults", "-u", "root", f"--socket={self.socket}", "--connect-timeout=5"]


def _mariadbd() -> str:
    for place in ("/usr/sbin/mariadbd", "/usr/local/sbin/mariadbd"):
        if os.access(place, os.X_OK):
            return place
    raise Trouble("MariaDB is not installed", "Install the package mariadb-server")
