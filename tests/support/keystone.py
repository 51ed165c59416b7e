"""A real Keystone for a test, with the accounts every test may use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from nova_tools.accounts import NAMES, standard_accounts, variables
from nova_tools.api_client import Token, password_token
from nova_tools.identity_seed import Account, Seeder, Service
from nova_tools.ports import free_port
from nova_tools.pythons import template
from nova_tools.services.keystone import Keystone
from tests.support.installed import identity_environment, installed
from tests.support.services import running, scratch_directory

PASSWORD = "secret"


@dataclass(frozen=True)
class RunningKeystone:
    """A running Keystone; every account (see ``nova_tools.accounts``) has the password ``secret``."""

    server: Keystone

    @property
    def url(self) -> str:
        return self.server.url

    def token(self, user: str = "admin", project: str | None = None) -> Token:
        """Log a user in, to its own project unless told otherwise."""
        own = next(account.project for account in _accounts() if account.name == user)
        return password_token(self.url, user, PASSWORD, project or own)

    def environment(self, user: str = "admin") -> dict[str, str]:
        """Return the ``OS_`` variables that make a client this user."""
        return variables(user, PASSWORD, self.url)

    def options(self) -> str:
        """Return the options of a Nova that checks its users' tokens here."""
        return f"""
[api]
auth_strategy = keystone
[keystone_authtoken]
auth_type = password
auth_url = {self.url}
www_authenticate_uri = {self.url}
username = nova
password = {PASSWORD}
project_name = service
user_domain_name = Default
project_domain_name = Default
region_name = RegionOne
"""

    def register(self, type_: str, name: str, url: str) -> None:
        """Put a service into the catalogue, or move it to another URL."""
        Seeder(self.url, self.token().value).seed([], [Service(type_, name, url)])


def _accounts() -> list[Account]:
    return standard_accounts(dict.fromkeys(NAMES, PASSWORD))


@contextmanager
def keystone(*, public_endpoint: str = "") -> Iterator[RunningKeystone]:
    """Run a Keystone (about four seconds to start); ``public_endpoint`` is where it says that it is."""
    with scratch_directory("keystone") as directory:
        server = Keystone(
            directory=directory / "keystone",
            venv=identity_environment(),
            template=template(installed(), "keystone"),
            port=free_port(),
            admin_password=PASSWORD,
        )
        server.prepare()
        if public_endpoint:
            conf = server.directory / "keystone.conf"
            conf.write_text(conf.read_text() + f"[DEFAULT]\npublic_endpoint = {public_endpoint}\n")
        with running(directory, server.program()):
            server.take_over()
            token = password_token(server.url, "admin", PASSWORD, "admin").value
            Seeder(server.url, token).seed(_accounts(), [Service("identity", "keystone", server.url)])
            yield RunningKeystone(server)
