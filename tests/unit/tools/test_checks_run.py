"""A whole run of ``tools/test`` with parts made up here: second chances, and an end at any moment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from nova_tools.checks.again import MOST, block, deserves_another, with_second_run
from nova_tools.checks.results import Counts, PartResult, Report
from nova_tools.places import CHECKOUT
from nova_tools.waiting import wait_until

DRIVER = """\
import sys
from pathlib import Path
from nova_tools.checks.parts import Part
from nova_tools.checks.run import Interrupted, Run, signals_raise
from nova_tools.checks.runner import Runner
from nova_tools.places import Places
from nova_tools.progress import Progress
home = Path(sys.argv[1])
parts = [
    Part(name=folder.name, title="made up", folders=(f"suites/{folder.name}",), seconds=120)
    for folder in sorted((home / "suites").iterdir())
]
signals_raise()
runner = Runner(Places(home, home), ("-p", "no:cacheprovider"), home)
try:
    sys.exit(Run(parts, runner, Progress(), 2).all(second_chance=True))
except Interrupted as interrupted:
    print("ended by", interrupted)
    sys.exit(interrupted.exit_code)
"""
FLAKY = """\
from pathlib import Path
import pytest
here = Path(__file__).parent
@pytest.mark.parametrize("what", ["a b", "c::d"])
def test_second_time_lucky(what):
    seen = here / ("seen-" + what[0])
    lucky, _ = seen.exists(), seen.touch()
    assert lucky
def test_never():
    assert (here / "nowhere").exists()
def test_good(): pass
"""
LONG = """\
import os, subprocess, time
from pathlib import Path
import pytest
here = Path(__file__).parent
@pytest.fixture
def server():
    child = subprocess.Popen(["sleep", "600"], start_new_session=True)
    yield child.pid
    child.kill()
    child.wait()
    (here / "put-down").touch()
def test_long(server):
    # A daemon as others write them: its parent is gone, its session is its own.
    subprocess.run(["sh", "-c", f"setsid sleep 600 & echo $! > {here}/daemon"], check=True)
    (here / "server").write_text(str(server))
    (here / "begun").touch()
    time.sleep(600)
"""


def start(tmp_path: Path, suites: dict[str, str], *, ignored: bool = False) -> subprocess.Popen[str]:
    """Start a run of these suites, each a part; with SIGINT ``ignored`` as by a shell's ampersand."""
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "tools").symlink_to(CHECKOUT / "tools")
    (tmp_path / "venvs").mkdir()
    (tmp_path / "venvs/tests").symlink_to(sys.prefix)
    for name, text in suites.items():
        folder = tmp_path / "suites" / name
        folder.mkdir(parents=True)
        (folder / f"test_{name}.py").write_text(text)
    shell = "trap '' INT; exec \"$@\"" if ignored else 'exec "$@"'
    return subprocess.Popen(
        ["sh", "-c", shell, "sh", sys.executable, "-c", DRIVER, str(tmp_path)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT / "tools"), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )  # fmt: skip


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def test_a_test_that_passes_when_run_again_is_counted_as_passed_and_named(tmp_path: Path) -> None:
    run = start(tmp_path, {"flaky": FLAKY, "plain": "def test_it(): pass\n"})
    said, _ = run.communicate(timeout=240)
    lines = said.rstrip().splitlines()
    assert run.returncode == 1, said
    assert lines[-1] == "4 passed, 1 failed, 0 skipped"
    assert lines[-2] == ""
    assert "second_time_lucky[c::d]" in lines[-3]
    assert "second_time_lucky[a b]" in lines[-4]
    assert "passed only when run again" in lines[-5]
    assert "test_never" not in "".join(lines[-5:])
    assert any(line.startswith("       ") and "test_never" in line for line in lines[:-5])
    assert (tmp_path / "logs/flaky.again.log").exists()


@pytest.mark.parametrize(
    ("number", "ignored"), [(signal.SIGTERM, False), (signal.SIGINT, True)], ids=["term", "int-background"]
)
def test_a_signal_ends_the_parts_and_all_they_started(
    tmp_path: Path, number: signal.Signals, ignored: bool
) -> None:
    run = start(tmp_path, {"one": LONG, "two": LONG, "waiting": LONG}, ignored=ignored)
    folders = [tmp_path / "suites" / name for name in ("one", "two")]
    try:
        assert wait_until(lambda: all((folder / "begun").exists() for folder in folders), 120)
        pids = [int((folder / name).read_text()) for folder in folders for name in ("daemon", "server")]
        assert all(lives(pid) for pid in pids)
        run.send_signal(number)
        said, _ = run.communicate(timeout=120)
    finally:
        run.kill()
    assert run.returncode == 128 + number, said
    assert not [pid for pid in pids if lives(pid)]
    assert all((folder / "put-down").exists() for folder in folders), "fixtures had no time"
    assert not (tmp_path / "suites/waiting/begun").exists()


def failed(number: int, remark: str = "") -> PartResult:
    tests = tuple(f"test_{n}" for n in range(number))
    return PartResult("unit", Counts(passed=5, failed=number), 1.0, Path("log"), remark, tests)


def test_only_a_few_failures_of_a_part_that_came_to_its_end_have_a_second_chance() -> None:
    assert deserves_another(failed(1))
    assert deserves_another(failed(MOST))
    assert not deserves_another(failed(MOST + 1))
    assert not deserves_another(failed(0))
    assert not deserves_another(failed(1, "not done within 900 s"))


def test_what_did_not_pass_the_second_time_stays_failed() -> None:
    second = Report(Counts(passed=1), "test_1", (), frozenset({"test_0", "another"}))
    result = with_second_run(failed(2), second)
    assert (result.counts, result.failures, result.passed_again) == (
        Counts(passed=6, failed=1), ("test_1",), ("test_0",),
    )  # fmt: skip
    assert not result.good
    assert "unit: test_0" in block([result])
    assert block([replace(result, passed_again=())]) == ""
