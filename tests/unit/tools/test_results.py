from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nova_tools.checks.parts import PARTS, Part, choose
from nova_tools.checks.results import Counts, PartResult, read_report
from nova_tools.checks.runner import Runner
from nova_tools.places import CHECKOUT, Places

SUITE = """\
import pytest
def test_good(): pass
def test_bad(): assert 0
@pytest.mark.skipif(True, reason="here")
def test_skipped(): pass
@pytest.fixture
def broken(): raise RuntimeError
def test_error(broken): pass
@pytest.fixture
def breaks_after():
    yield
    raise RuntimeError
def test_counts_once(breaks_after): pass
"""


def test_the_total_is_one_plain_line() -> None:
    assert str(Counts(1, 2, 0) + Counts(3, 0, 4)) == "4 passed, 2 failed, 4 skipped"


def test_the_plugin_counts_every_outcome_once(tmp_path: Path) -> None:
    (tmp_path / "test_suite.py").write_text(SUITE)
    (tmp_path / "test_unimportable.py").write_text("import nothing_like_this")
    results = tmp_path / "results"
    env = dict(os.environ, NOVA_TEST_RESULTS=str(results), PYTHONPATH=str(CHECKOUT / "tools"))
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "nova_tools.checks.counting", "-p", "no:cacheprovider",
         "--continue-on-collection-errors", tmp_path],
        env=env, cwd=tmp_path, capture_output=True, timeout=120, check=False,
    )  # fmt: skip
    report = read_report(results)
    assert report.counts == Counts(passed=1, failed=4, skipped=1)
    assert report.unfinished is None
    assert len(report.failures) == 4


def test_a_killed_run_still_counts_and_names_the_test_that_hung(tmp_path: Path) -> None:
    results = tmp_path / "results"
    results.write_text(
        '{"outcome": "started", "test": "a"}\n{"outcome": "passed", "test": "a"}\n'
        '{"outcome": "started", "test": "b"}\n{"outcome": "pas'
    )
    report = read_report(results)
    assert (report.counts, report.unfinished) == (Counts(passed=1), "b")
    assert read_report(tmp_path / "missing").counts == Counts()


def test_parts_are_chosen_by_name_or_group() -> None:
    assert choose([]) == list(PARTS)
    assert [part.name for part in choose(["unit", "format"])] == ["format", "unit"]
    assert {part.name for part in choose(["static"])} == {"format", "lint", "imports", "budgets", "types"}
    with pytest.raises(KeyError):
        choose(["nonsense"])


def run_command(tmp_path: Path, script: str, seconds: float = 30) -> PartResult:
    binaries = tmp_path / "venvs/tests/bin"
    binaries.mkdir(parents=True)
    (binaries / "sh").symlink_to("/bin/sh")
    part = Part(name="check", title="a check", argv=("sh", "-c", script), seconds=seconds)
    return Runner(Places(tmp_path, tmp_path)).run(part)


def test_a_check_counts_as_one_test(tmp_path: Path) -> None:
    result = run_command(tmp_path, "echo hello; exit 0")
    assert (result.good, result.counts) == (True, Counts(passed=1))
    assert result.log.read_text() == "hello\n"


def test_a_failed_check_fails(tmp_path: Path) -> None:
    assert run_command(tmp_path, "exit 3").counts == Counts(failed=1)


def test_a_check_that_hangs_is_ended_and_fails(tmp_path: Path) -> None:
    result = run_command(tmp_path, "exec sleep 60", seconds=0.3)
    assert result.counts == Counts(failed=1)
    assert result.remark == "not done within 0 s"
    assert result.seconds < 30
