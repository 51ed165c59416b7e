"""Installs what the chosen parts need: packages, environments, the guest image."""

from __future__ import annotations

from nova_tools import pythons
from nova_tools.checks.parts import Part
from nova_tools.installing import guest_step, installing_steps, template_steps
from nova_tools.places import Places
from nova_tools.progress import Progress
from nova_tools.pythons import IDENTITY
from nova_tools.stamps import Stamps
from nova_tools.steps import Step, run_steps


def prepare(parts: list[Part], places: Places, progress: Progress) -> None:
    """Bring about everything the parts need. Idempotent; quick when it is there."""
    run_steps(steps_for(parts, places), Stamps(places.stamps), progress)
    pythons.tidy(places)


def steps_for(parts: list[Part], places: Places) -> list[Step]:
    """List the steps: packages to build Python modules first, so that the rest can go on beside."""
    packages = {name for part in parts for name in part.packages}
    environments = {env.name: env for part in parts for env in part.environments}
    steps = installing_steps(packages, list(environments.values()), places)
    if any(part.guest_image for part in parts):
        steps.append(guest_step(places))
    if IDENTITY in environments.values():
        steps += template_steps(places)
    return steps
