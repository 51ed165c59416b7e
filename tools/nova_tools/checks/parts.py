"""The parts of ``tools/test`` as data: what each runs, needs, and how long it may take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nova_tools import apt
from nova_tools.pythons import CLIENTS, IDENTITY, TESTS, Environment

_STATIC = apt.PYTHON_BUILD
_BACKENDS = (*_STATIC, *apt.RABBITMQ, *apt.MARIADB, *apt.POSTGRESQL, *apt.NETWORK)
_EVERYTHING = (*_BACKENDS, *apt.GUEST_BUILD, *apt.HYPERVISOR, *apt.CLOUD, *apt.BROWSER)


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part, run in its own process.

    ``argv`` is a check that counts as one test; ``folders`` are given to pytest, which counts its own.
    """

    name: str
    title: str
    seconds: float
    argv: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    packages: tuple[str, ...] = _STATIC
    environments: tuple[Environment, ...] = (TESTS,)
    guest_image: bool = False


PARTS: tuple[Part, ...] = (
    # The longest first: parts are begun in this order, two at a time.
    Part(
        name="integration", title="the real parts", folders=("tests/integration",), seconds=2400,
        packages=_EVERYTHING, environments=(TESTS, IDENTITY, CLIENTS), guest_image=True,
    ),
    Part(name="format", title="format (ruff)", argv=("ruff", "format", "--check", "."), seconds=120),
    Part(name="lint", title="lint (ruff)", argv=("ruff", "check", "."), seconds=120),
    Part(name="imports", title="import contracts", argv=("lint-imports", "--no-cache"), seconds=180),
    Part(name="budgets", title="sizes and house rules", argv=("python", "tools/budgets.py"), seconds=120),
    Part(name="types", title="types (mypy)", argv=("mypy", "nova", "tools/nova_tools"), seconds=600),
    Part(
        name="unit", title="unit tests", folders=("tests/unit", "tests/property"), seconds=900,
        packages=(*_STATIC, *apt.NETWORK),
    ),
    Part(
        name="contract", title="contract tests", folders=("tests/contract",), seconds=1200,
        packages=(*_BACKENDS, *apt.HYPERVISOR, *apt.GUEST_BUILD), guest_image=True,
    ),
    Part(
        name="functional", title="whole cloud, eventlet", folders=("tests/functional", "tests/regressions"),
        seconds=1500, env={"NOVA_CONCURRENCY": "eventlet"}, environments=(TESTS, CLIENTS), packages=_BACKENDS,
    ),
    Part(
        name="functional-threading", title="whole cloud, threads", folders=("tests/functional",),
        seconds=1500, env={"NOVA_CONCURRENCY": "threading"}, environments=(TESTS, CLIENTS),
        packages=_BACKENDS,
    ),
    Part(
        name="security", title="bad input", folders=("tests/security",), seconds=1500,
        packages=(*_BACKENDS, *apt.HYPERVISOR),
    ),
    Part(
        name="readme", title="the README's commands", folders=("tests/docs",), seconds=1500,
        packages=_EVERYTHING, environments=(TESTS, IDENTITY, CLIENTS), guest_image=True,
    ),
)  # fmt: skip

_GROUPS = {"static": ("format", "lint", "imports", "budgets", "types")}


def choose(names: list[str]) -> list[Part]:
    """Return the parts with these names (or names of groups), all for none. Raises ``KeyError``."""
    by_name = {part.name: part for part in PARTS}
    wanted = [single for name in names for single in _GROUPS.get(name, (name,))]
    for name in wanted:
        by_name[name]
    return [part for part in PARTS if part.name in wanted] if wanted else list(PARTS)
