"""Steps that install: Debian packages, virtual environments, the guest image, fresh databases."""

from __future__ import annotations

from collections.abc import Callable

from nova_tools import apt, guest_image, pythons
from nova_tools.places import Places
from nova_tools.pythons import IDENTITY, Environment
from nova_tools.services.glance import Glance
from nova_tools.services.keystone import Keystone
from nova_tools.steps import Step


def installing_steps(packages: set[str], environments: list[Environment], places: Places) -> list[Step]:
    """List the steps that install Debian packages and virtual environments."""
    steps = [
        Step(
            name="apt-first",
            title="Debian packages to build with",
            run=_apt(apt.PYTHON_BUILD, places, refresh=True),
        ),
        Step(
            name="uv",
            title="uv, to install fast",
            after=("apt-first",),
            run=lambda: pythons.provide_uv(places, places.logs / "uv.log"),
        ),
    ]
    rest = packages - set(apt.PYTHON_BUILD)
    if rest:
        steps.append(
            Step(
                name="apt",
                title="Debian packages",
                after=("apt-first",),
                run=_apt(sorted(rest), places, refresh=False),
            )
        )
    steps += [environment_step(wanted, places) for wanted in environments]
    return steps


def environment_step(wanted: Environment, places: Places) -> Step:
    """Make the step that provides one virtual environment."""
    log = places.logs / f"pip-{wanted.name}.log"
    return Step(
        name=f"venv-{wanted.name}",
        title=f"Python environment '{wanted.name}'",
        after=("uv",),
        inputs=wanted.inputs,
        still_there=lambda: pythons.is_there(places, wanted),
        run=lambda: pythons.provide(places, wanted, log),
    )


def guest_step(places: Places) -> Step:
    """Make the step that builds the guest image."""

    def build() -> str | None:
        image = guest_image.build(places.guest)
        return f"{image.disk.stat().st_size / 1e6:.0f} MB"

    return Step(name="guest-image", title="Guest image", after=("apt",), run=build)


def template_steps(places: Places) -> list[Step]:
    """Make the steps that keep fresh databases of Keystone and Glance at hand, to be copied."""
    venv, scratch = places.venv(IDENTITY.name), places.installed / "templates"
    # Neither the port nor the passwords go into a template.
    keystone = Keystone(
        directory=scratch,
        venv=venv,
        template=pythons.template(places.installed, "keystone"),
        port=5000,
        admin_password="",
    )
    glance = Glance(
        directory=scratch,
        venv=venv,
        template=pythons.template(places.installed, "glance"),
        port=9292,
        auth_url=keystone.url,
        password="",
    )
    return [
        Step(
            name=f"template-{name}",
            title=f"A fresh {name.capitalize()} database",
            after=("venv-identity",),
            run=make,
        )
        for name, make in (("keystone", keystone.make_template), ("glance", glance.make_template))
    ]


def _apt(packages: list[str] | tuple[str, ...], places: Places, *, refresh: bool) -> Callable[[], str | None]:
    log = places.logs / "apt.log"

    def install() -> str | None:
        if refresh and apt.missing(packages):
            apt.refresh(log)
        return apt.install(packages, log)

    return install
