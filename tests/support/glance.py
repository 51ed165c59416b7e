"""A real Glance for a test, beside a real Keystone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nova_tools.ports import free_port
from nova_tools.pythons import template
from nova_tools.services.glance import Glance
from tests.support.installed import identity_environment, installed
from tests.support.keystone import PASSWORD, RunningKeystone
from tests.support.services import running, scratch_directory


@contextmanager
def glance(identity: RunningKeystone, *, cafile: Path | None = None) -> Iterator[Glance]:
    """Run a Glance and put it into the catalogue; ``.store(token, name, file, properties)`` uploads.

    ``cafile``: who vouches for a Keystone behind TLS.
    """
    with scratch_directory("glance") as directory:
        server = Glance(
            directory=directory / "glance",
            venv=identity_environment(),
            template=template(installed(), "glance"),
            port=free_port(),
            auth_url=identity.url,
            password=PASSWORD,
        )
        server.prepare()
        if cafile is not None:
            conf = server.directory / "glance-api.conf"
            conf.write_text(conf.read_text() + f"[keystone_authtoken]\ncafile = {cafile}\n")
        with running(directory, server.program()):
            identity.register("image", "glance", server.url)
            yield server
