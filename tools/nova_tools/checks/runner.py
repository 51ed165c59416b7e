"""Runs one part in its own process, with a time bound, its output in a log."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from nova_tools.checks.again import with_second_run
from nova_tools.checks.offspring import Offspring, signal_group
from nova_tools.checks.parts import Part
from nova_tools.checks.results import Counts, PartResult, read_report
from nova_tools.commands import environment
from nova_tools.places import CHECKOUT, Places
from nova_tools.pythons import CLIENTS, IDENTITY, TESTS

_NOTHING_COLLECTED = 5
FIXTURES_SECONDS = 30.0
"""How long fixtures may take to stop what they started."""
_AGAIN_SECONDS = 600.0


@dataclass(frozen=True)
class Runner:
    """Runs parts, several at a time from several threads; ``extra`` is handed to pytest."""

    places: Places
    extra: tuple[str, ...] = ()
    checkout: Path = CHECKOUT
    offspring: Offspring = field(default_factory=Offspring)
    stopping: threading.Event = field(default_factory=threading.Event)

    def stop(self) -> None:
        """Start nothing any more, and let what runs end: its fixtures first stop the daemons they started."""
        self.stopping.set()
        self.offspring.interrupt()

    def run(self, part: Part) -> PartResult:
        """Run a part to its end or to the end of its time; never raises for what the part does."""
        log = self.places.logs / f"{part.name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        results = log.with_suffix(".results")
        results.unlink(missing_ok=True)
        argv = list(part.argv) or self._pytest(part)
        started = time.monotonic()
        if self.stopping.is_set():
            return PartResult(part.name, Counts(), 0.0, log, "not begun")
        if not argv:
            return PartResult(part.name, Counts(), 0.0, log, "no tests")
        code = self._run_bounded(argv, part, log, results)
        seconds = time.monotonic() - started
        if part.argv:
            return self._of_check(part, code, seconds, log)
        return self._of_pytest(part, code, seconds, log, results)

    def run_again(self, part: Part, result: PartResult) -> PartResult:
        """Run the failed tests of a part once more; return its result with those that passed now."""
        log = self.places.logs / f"{part.name}.again.log"
        results = log.with_suffix(".results")
        results.unlink(missing_ok=True)
        bounded = replace(part, seconds=min(part.seconds, _AGAIN_SECONDS))
        self._run_bounded(self._pytest_of(result.failures), bounded, log, results)
        return with_second_run(result, read_report(results))

    def _pytest(self, part: Part) -> list[str]:
        folders = [folder for folder in part.folders if any((self.checkout / folder).rglob("test_*.py"))]
        return self._pytest_of(folders) if folders else []

    def _pytest_of(self, places: Sequence[str]) -> list[str]:
        return ["python", "-m", "pytest", "-p", "nova_tools.checks.counting", *places, *self.extra]

    def _run_bounded(self, argv: list[str], part: Part, log: Path, results: Path) -> int | None:
        """Return the exit code, None when the time was up."""
        binaries = self.places.venv(TESTS.name) / "bin"
        with log.open("wb") as sink:
            process = self.offspring.start(
                [str(binaries / argv[0]), *argv[1:]], output=sink, cwd=self.checkout,
                env=self._environment(part, results),
            )  # fmt: skip
            if self.stopping.is_set():  # the signal came just before there was somebody to get it
                signal_group(process.pid, signal.SIGINT)
            try:
                return process.wait(part.seconds)
            except subprocess.TimeoutExpired:
                # Twice: the first lets fixtures end the daemons they started.
                for number in (signal.SIGINT, signal.SIGKILL):
                    signal_group(process.pid, number)
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        process.wait(FIXTURES_SECONDS)
                return None
            finally:
                self.offspring.forget(process)

    def _environment(self, part: Part, results: Path) -> dict[str, str]:
        env = environment(
            NOVA_TEST_RESULTS=str(results),
            NOVA_TEST_HOME=str(self.places.home),
            NOVA_INSTALLED=str(self.places.installed),
            NOVA_TEST_GUEST_DIR=str(self.places.guest),
            NOVA_TEST_IDENTITY=str(self.places.venv(IDENTITY.name)),
            NOVA_TEST_CLIENTS=str(self.places.venv(CLIENTS.name)),
            PYTHONPATH=f"{self.checkout}:{self.checkout / 'tools'}",
            **part.env,
        )
        env["PATH"] = f"{self.places.venv(TESTS.name) / 'bin'}:{env['PATH']}"
        # A person's own cloud must not answer what is meant for the one under test.
        return {name: value for name, value in env.items() if not name.startswith("OS_")}

    def _of_check(self, part: Part, code: int | None, seconds: float, log: Path) -> PartResult:
        counts = Counts(passed=1) if code == 0 else Counts(failed=1)
        return PartResult(part.name, counts, seconds, log, _remark(part, code) if code is None else "")

    def _of_pytest(
        self, part: Part, code: int | None, seconds: float, log: Path, results: Path
    ) -> PartResult:
        report = read_report(results)
        counts, remark = report.counts, ""
        broken = code not in (0, 1, _NOTHING_COLLECTED)
        if broken or (code == 1 and counts.failed == 0):
            remark = _remark(part, code)
            if report.unfinished:
                remark += f", in {report.unfinished}"
            counts += Counts(failed=1)
        return PartResult(part.name, counts, seconds, log, remark, report.failures)


def _remark(part: Part, code: int | None) -> str:
    if code is None:
        return f"not done within {part.seconds:.0f} s"
    return f"ended with code {code}"
