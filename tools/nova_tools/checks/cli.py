"""``tools/test``: the command line, and the order in which parts run."""

from __future__ import annotations

import argparse
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from nova_tools.checks.bootstrap import prepare
from nova_tools.checks.parts import PARTS, Part, choose
from nova_tools.checks.results import Counts, PartResult
from nova_tools.checks.runner import Runner
from nova_tools.commands import tail
from nova_tools.places import CHECKOUT, Places
from nova_tools.progress import Progress
from nova_tools.trouble import Trouble

_BEAT_SECONDS = 60.0


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
    try:
        prepare(parts, places, progress)
    except Trouble as trouble:
        progress.say(f"\n{trouble}")
        progress.say(str(Counts(failed=1)))
        return 1
    if options.install_only:
        return 0
    return _run(parts, Runner(places, tuple(extra)), progress, options.jobs)


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
    parser.add_argument("--jobs", type=int, default=2, help="how many parts run side by side (2)")
    parser.add_argument("--install-only", action="store_true", help="install what is needed and stop there")
    return parser


def _run(parts: list[Part], runner: Runner, progress: Progress, jobs: int) -> int:
    started = time.monotonic()
    ended = threading.Event()
    running: set[str] = set()
    threading.Thread(target=_beat, args=(running, started, ended, progress), daemon=True).start()

    def run_one(part: Part) -> PartResult:
        running.add(part.name)
        result = runner.run(part)
        running.discard(part.name)
        progress.say(result.line())
        if not result.good:
            progress.say(_what_went_wrong(result))
        return result

    progress.say("")
    with ThreadPoolExecutor(max(1, jobs)) as pool:
        results = list(pool.map(run_one, parts))
    ended.set()
    progress.say(f"\n{'=' * 30} summary {'=' * 30}")
    for result in results:
        progress.say(result.line())
        for test in result.failures[:40]:
            progress.say(f"       {test}")
    total = sum((result.counts for result in results), Counts())
    progress.say(f"in {time.monotonic() - started:.0f} s; logs in {runner.places.logs}\n")
    progress.say(str(total))
    return 1 if total.failed else 0


def _what_went_wrong(result: PartResult) -> str:
    text = tail(result.log, 120 if result.failures else 60)
    return f"----- end of {result.log}\n{text}\n----- {Path(result.log).name}"


def _beat(running: set[str], started: float, ended: threading.Event, progress: Progress) -> None:
    while not ended.wait(_BEAT_SECONDS):
        progress.say(f"     ... {time.monotonic() - started:.0f} s, running: {', '.join(sorted(running))}")
