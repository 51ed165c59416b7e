"""Keystone on SQLite, from its own virtual environment, tuned to be light and quick on one machine."""

from __future__ import annotations

import base64
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from nova_tools.api_client import ApiError, password_token, request
from nova_tools.commands import run
from nova_tools.locks import only_one
from nova_tools.processes import Program
from nova_tools.waiting import wait_until

_WSGI_APP = Path(__file__).with_name("wsgi_app.py")
_REGION = "RegionOne"
# The template's database is made with this password; a cloud changes it before anybody else can ask.
_TEMPLATE_PASSWORD = "only-in-the-template"

_CONF = """\
[DEFAULT]
log_file =
max_token_size = 255
[database]
connection = sqlite:///{directory}/keystone.db
[token]
provider = fernet
expiration = 86400
[fernet_tokens]
key_repository = {directory}/fernet-keys
[fernet_receipts]
key_repository = {directory}/fernet-keys
[credential]
key_repository = {directory}/credential-keys
[cache]
enabled = true
backend = dogpile.cache.memory
[identity]
password_hash_rounds = 4
[oslo_policy]
enforce_scope = true
"""


@dataclass(frozen=True, kw_only=True)
class Keystone:
    """One Keystone; ``template`` is where a fresh database is kept to be copied."""

    directory: Path
    venv: Path
    template: Path
    port: int
    admin_password: str
    address: str = "127.0.0.1"

    @property
    def url(self) -> str:
        """The authentication URL (version 3)."""
        return f"http://{self.address}:{self.port}/v3"

    @property
    def database(self) -> Path:
        """The file of its database."""
        return self.directory / "keystone.db"

    def make_template(self) -> None:
        """Make a fresh database with the first administrator (10 s). Idempotent."""
        with only_one(self.template.with_suffix(".lock")):
            if (self.template / "keystone.db").exists():
                return
            work = self.template.with_name(self.template.name + ".new")
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir(parents=True)
            self._write_conf(work)
            self._manage(work, "db_sync")
            self._manage(
                work, "bootstrap", "--bootstrap-password", _TEMPLATE_PASSWORD,
                "--bootstrap-region-id", _REGION,
                *(f"--bootstrap-{face}-url={self.url}" for face in ("admin", "internal", "public")),
            )  # fmt: skip
            work.rename(self.template)

    def prepare(self) -> None:
        """Write the configuration, the keys and the database unless they are there. Idempotent."""
        self.make_template()
        self._write_conf(self.directory)
        if not self.database.exists():
            fresh = self.database.with_suffix(".new")
            shutil.copyfile(self.template / "keystone.db", fresh)
            fresh.rename(self.database)

    def _write_conf(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "keystone.conf").write_text(_CONF.format(directory=directory))
        for repository in ("fernet-keys", "credential-keys"):
            _make_keys(directory / repository)

    def _manage(self, directory: Path, *words: str) -> None:
        program = self.venv / "bin/keystone-manage"
        log = directory / "keystone-manage.log"
        run([program, "--config-file", directory / "keystone.conf", *words], log=log, seconds=240)

    def program(self, name: str = "keystone") -> Program:
        """Return how to run it; it is ready when it shows its version."""
        return Program(
            name=name,
            argv=(
                str(self.venv / "bin/python"),
                "-P",
                str(_WSGI_APP),
                "keystone",
                self.address,
                str(self.port),
            ),
            env={"OS_KEYSTONE_CONFIG_DIR": str(self.directory)},
            address=self.address,
            port=self.port,
            runs_on=str(self.venv),
            ready=self.answers,
            start_seconds=120,
        )

    def answers(self) -> bool:
        """Tell whether Keystone shows its version document."""
        try:
            request("GET", self.url, seconds=5)
        except (ApiError, OSError):
            return False
        return True

    def take_over(self) -> None:
        """Give the administrator of a fresh database the cloud's own password. Idempotent."""
        try:
            password_token(self.url, "admin", self.admin_password, "admin")
        except ApiError as error:
            if error.status != 401:
                raise
            token = password_token(self.url, "admin", _TEMPLATE_PASSWORD, "admin")
            request(
                "POST", f"{self.url}/users/{token.user_id}/password", token=token.value,
                body={"user": {"password": self.admin_password, "original_password": _TEMPLATE_PASSWORD}},
            )  # fmt: skip
            # The change revokes every token of its second, also those that are issued right after it.
            wait_until(self._admin_token_works, 10, pause=0.2)

    def warm_up(self, token: str) -> None:
        """Have a token validated: a Keystone just started may refuse one of two first requests (403)."""
        request("GET", f"{self.url}/auth/tokens", token=token, headers={"X-Subject-Token": token})

    def _admin_token_works(self) -> bool:
        try:
            token = password_token(self.url, "admin", self.admin_password, "admin")
            request("GET", f"{self.url}/auth/projects", token=token.value)
        except ApiError:
            return False
        return True


def _make_keys(repository: Path) -> None:
    """Make the staged and the first primary key, as ``fernet_setup`` does. Idempotent."""
    repository.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("0", "1"):
        path = repository / name
        if not path.exists():
            path.write_bytes(base64.urlsafe_b64encode(os.urandom(32)))
            path.chmod(0o600)
