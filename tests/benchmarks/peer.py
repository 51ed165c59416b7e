"""Another implementation that stands on this machine already: where it is, and its processes.

It is described by the directory its own scripts made: ``openrc`` with its administrator's credentials,
``ids`` (an image's and a flavor's id, a line each), and ``run/NAME.pid`` for each of its daemons.
"""

from __future__ import annotations

import re
from pathlib import Path

from tests.benchmarks.clients import Target
from tests.benchmarks.our_cloud import Identity

ENDPOINT = "http://127.0.0.1:23774/v2.1"
GLANCE = "http://127.0.0.1:23292"
_NUMBERED = re.compile(r"\d+$")


def peer(directory: Path, endpoint: str = ENDPOINT) -> Target:
    """Describe it; raises ``FileNotFoundError`` where none was ever brought up."""
    exported = dict(re.findall(r"(OS_\w+)=(\S+)", (directory / "openrc").read_text()))
    image, flavor = (directory / "ids").read_text().split()
    watch: dict[str, list[int]] = {}
    for file in sorted((directory / "run").glob("*.pid")):
        text = file.read_text().strip()
        if text.isdigit() and Path(f"/proc/{text}").exists():
            watch.setdefault(_NUMBERED.sub("", file.stem), []).append(int(text))
    return Target(
        name="peer",
        endpoint=endpoint,
        auth_url=exported["OS_AUTH_URL"],
        user=exported["OS_USERNAME"],
        password=exported["OS_PASSWORD"],
        project=exported["OS_PROJECT_NAME"],
        image=image,
        flavor=flavor,
        watch=watch,
    )


def identity(directory: Path, glance_url: str = GLANCE) -> Identity:
    """Return its Keystone and Glance for our own cloud: the same for both sides.

    All of its services share one password and one project, ``service``.
    """
    theirs = peer(directory)
    return Identity(
        auth_url=theirs.auth_url,
        glance_url=glance_url,
        admin_password=theirs.password,
        service_password=theirs.password,
        image=theirs.image,
        watch={name: theirs.watch[name] for name in ("keystone", "glance") if name in theirs.watch},
    )
