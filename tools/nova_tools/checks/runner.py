"""Runs one part in its own process, with a time bound, its output in a log."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from nova_tools.checks.parts import Part
from nova_tools.checks.results import Counts, PartResult, read_report
from nova_tools.commands import environment
from nova_tools.places import CHECKOUT, Places
from nova_tools.pythons import CLIENTS, IDENTITY, TESTS

_NOTHING_COLLECTED = 5


@dataclass(frozen=True)
class Runner:
    """Runs parts; ``extra`` is handed to pytest."""

    places: Places
    extra: tuple[str, ...] = ()

    def run(self, part: Part) -> PartResult:
        """Run a part to its end or to the end of its time; never raises for what the part does."""
        log = self.places.logs / f"{part.name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        results = log.with_suffix(".results")
        results.unlink(missing_ok=True)
        argv = list(part.argv) or self._pytest(part)
        started = time.monotonic()
        if not argv:
            return PartResult(part.name, Counts(), 0.0, log, "no tests")
        code = self._run_bounded(argv, part, log, results)
        seconds = time.monotonic() - started
        if part.argv:
            return self._of_check(part, code, seconds, log)
        return self._of_pytest(part, code, seconds, log, results)

    def _pytest(self, part: Part) -> list[str]:
        folders = [folder for folder in part.folders if any((CHECKOUT / folder).rglob("test_*.py"))]
        if not folders:
            return []
        return ["python", "-m", "pytest", "-p", "nova_tools.checks.counting", *folders, *self.extra]

    def _run_bounded(self, argv: list[str], part: Part, log: Path, results: Path) -> int | None:
        """Return the exit code, None when the time was up."""
        binaries = self.places.venv(TESTS.name) / "bin"
        with log.open("wb") as sink:
            process = subprocess.Popen(
                [str(binaries / argv[0]), *argv[1:]], stdin=subprocess.DEVNULL, stdout=sink, stderr=sink,
                cwd=CHECKOUT, env=self._environment(part, results), start_new_session=True,
            )  # fmt: skip
            try:
                return process.wait(part.seconds)
            except subprocess.TimeoutExpired:
                # Twice: the first lets fixtures end the daemons they started.
                for number in (signal.SIGINT, signal.SIGKILL):
                    with contextlib.suppress(ProcessLookupError):
                        os.killpg(process.pid, number)
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        process.wait(20)
                return None

    def _environment(self, part: Part, results: Path) -> dict[str, str]:
        env = environment(
            NOVA_TEST_RESULTS=str(results),
            NOVA_TEST_HOME=str(self.places.home),
            NOVA_INSTALLED=str(self.places.installed),
            NOVA_TEST_GUEST_DIR=str(self.places.guest),
            NOVA_TEST_IDENTITY=str(self.places.venv(IDENTITY.name)),
            NOVA_TEST_CLIENTS=str(self.places.venv(CLIENTS.name)),
            PYTHONPATH=f"{CHECKOUT}:{CHECKOUT / 'tools'}",
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
