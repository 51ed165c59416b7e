"""Brings about what a torture needs, then runs it with the Python environment of the tests."""

from __future__ import annotations

import os
import sys

from nova_tools.checks.bootstrap import prepare
from nova_tools.checks.parts import PARTS
from nova_tools.commands import environment
from nova_tools.places import CHECKOUT, Places
from nova_tools.progress import Progress
from nova_tools.pythons import TESTS
from nova_tools.trouble import Trouble


def launch(arguments: list[str]) -> None:
    """Install what is missing and become the torture; never returns."""
    places = Places.of_tests()
    if "--help" not in arguments and "-h" not in arguments:
        try:
            prepare([part for part in PARTS if part.name == "contract"], places, Progress())
        except Trouble as trouble:
            print(trouble, file=sys.stderr)
            sys.exit(2)
    python = places.venv(TESTS.name) / "bin" / "python"
    env = environment(PYTHONPATH=f"{CHECKOUT}:{CHECKOUT / 'tools'}", NOVA_TEST_GUEST_DIR=str(places.guest))
    os.chdir(CHECKOUT)
    os.execve(python, [str(python), "-W", "ignore", "-m", "nova_tools.torture.cli", *arguments], env)
