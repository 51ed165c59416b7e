"""``tools/test``: the command line."""

from __future__ import annotations

import argparse
import os
import sys

from nova_tools.checks.bootstrap import prepare
from nova_tools.checks.parts import PARTS, choose
from nova_tools.checks.results import Counts
from nova_tools.checks.run import Interrupted, Run, signals_raise
from nova_tools.checks.runner import Runner
from nova_tools.places import CHECKOUT, Places
from nova_tools.progress import Progress
from nova_tools.sentences import FORESEEN, explained

JOBS = 3
"""One more than the usual machine has processors: tests of real parts wait much."""


def main(arguments: list[str]) -> int:
    """Run ``tools/test``; return the exit code. The last line printed is the total."""
    own, extra = _split(arguments)
    options = _parser().parse_args(own)
    places = Places.of_tests()
    progress = Progress()
    try:
        parts = choose(options.part)
    except KeyError as unknown:
        known = " ".join(part.name for part in PARTS)
        print(f"There is no part {unknown.args[0]!r}; parts are: static {known}", file=sys.stderr)
        return 2
    os.chdir(CHECKOUT)
    signals_raise()
    try:
        prepare(parts, places, progress)
        if options.install_only:
            return 0
        run = Run(parts, Runner(places, tuple(extra)), progress, options.jobs)
        return run.all(second_chance=not options.once)
    except FORESEEN as error:
        progress.say(f"\n{explained(error)}")
        progress.say(str(Counts(failed=1)))
        return 1
    except Interrupted as interrupted:
        progress.say(f"\nEnded by {interrupted}; nothing runs any more.")
        return interrupted.exit_code


def _split(arguments: list[str]) -> tuple[list[str], list[str]]:
    if "--" not in arguments:
        return arguments, []
    at = arguments.index("--")
    return arguments[:at], arguments[at + 1 :]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tools/test", description="Install what the tests need and run them, all or some parts.",
        epilog="Arguments after -- go to pytest, for instance: tools/test unit -- -k scheduler",
    )  # fmt: skip
    names = ", ".join(part.name for part in PARTS)
    parser.add_argument("part", nargs="*", help=f"static (the first checks) or any of: {names}")
    parser.add_argument("--jobs", type=int, default=JOBS, help=f"how many parts run side by side ({JOBS})")
    parser.add_argument("--once", action="store_true", help="no second chance for tests that failed")
    parser.add_argument("--install-only", action="store_true", help="install what is needed and stop there")
    return parser
