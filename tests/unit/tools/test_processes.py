from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from nova_tools import processes
from nova_tools.ports import free_port
from nova_tools.processes import Program, Supervisor
from nova_tools.trouble import Trouble
from nova_tools.waiting import wait_until


@pytest.fixture
def supervisor(tmp_path: Path) -> Supervisor:
    return Supervisor(tmp_path / "run", tmp_path / "logs")


def program(name: str, script: str, ready: bool = True, seconds: float = 10) -> Program:
    return Program(name=name, argv=("sh", "-c", script), ready=lambda: ready, start_seconds=seconds)


def test_a_program_is_started_once_found_again_and_stopped(supervisor: Supervisor) -> None:
    assert supervisor.start(program("idle", "exec sleep 60"))
    pid = supervisor.pid("idle")
    assert pid is not None
    assert not supervisor.start(program("idle", "exec sleep 60"))
    again = Supervisor(supervisor.run_dir, supervisor.log_dir)
    assert again.pid("idle") == pid
    assert again.names() == ["idle"]
    assert again.stop("idle")
    assert again.pid("idle") is None
    assert not again.stop("idle")
    assert again.names() == []


def test_a_program_that_ignores_the_signal_is_killed(supervisor: Supervisor) -> None:
    supervisor.start(program("deaf", "trap '' TERM; while :; do sleep 0.1; done"))
    pid = supervisor.pid("deaf")
    assert pid is not None
    assert supervisor.stop("deaf", seconds=0.3)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_killed_program_takes_its_children_along(supervisor: Supervisor, tmp_path: Path) -> None:
    child = tmp_path / "child"
    supervisor.start(program("parent", f"sleep 60 & echo $! > {child}; wait"))
    assert wait_until(lambda: child.exists() and child.read_text().endswith("\n"), 10)
    supervisor.kill("parent")
    assert supervisor.pid("parent") is None
    stat = Path(f"/proc/{child.read_text().strip()}/stat")
    assert not stat.exists() or " Z " in stat.read_text()


def test_a_program_that_ends_while_it_is_looked_at_is_collected(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody would look again; and who is dead and not collected is in the way of a next one."""
    supervisor.start(program("brief", "exec sleep 60"))
    pid = supervisor.pid("brief")
    assert pid is not None
    stat, look = Path(f"/proc/{pid}/stat"), processes._start_time

    def ends_first(asked: int) -> str | None:
        os.kill(asked, signal.SIGKILL)
        assert wait_until(lambda: " Z " in stat.read_text(), 10)
        return look(asked)

    monkeypatch.setattr(processes, "_start_time", ends_first)
    assert supervisor.pid("brief") is None
    assert not stat.exists()


def test_a_program_that_ends_at_once_is_told_with_its_last_words(supervisor: Supervisor) -> None:
    with pytest.raises(Trouble, match="early ended right after its start: no such option"):
        supervisor.start(program("early", "echo no such option; exit 1", ready=False))


def test_a_program_that_is_never_ready_is_told(supervisor: Supervisor) -> None:
    try:
        with pytest.raises(Trouble, match="slow was not ready within 0 seconds"):
            supervisor.start(program("slow", "exec sleep 60", ready=False, seconds=0.3))
    finally:
        supervisor.stop("slow")


def test_the_pid_of_a_stranger_is_not_taken_for_ours(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.run_dir.mkdir()
    (supervisor.run_dir / "old.pid").write_text(f"{os.getpid()} 1\n")
    assert supervisor.pid("old") is None
    assert not supervisor.stop("old", with_signal=signal.SIGKILL)


def test_a_pid_file_of_before_the_machine_was_started_anew_names_nobody(supervisor: Supervisor) -> None:
    supervisor.start(program("idle", "exec sleep 60"))
    file = supervisor.run_dir / "idle.pid"
    pid, started, boot = file.read_text().split()
    try:
        file.write_text(f"{pid} {started} {boot[::-1]}\n")
        assert supervisor.pid("idle") is None
        file.write_text("\0\0 damaged")
        assert supervisor.pid("idle") is None
        file.write_text(f"{pid} {started}\n")
        assert supervisor.pid("idle") == int(pid)
    finally:
        assert supervisor.stop("idle")


@pytest.mark.parametrize("how", ["started again", "stopped"])
def test_what_a_killed_wrapper_left_behind_is_ended(supervisor: Supervisor, tmp_path: Path, how: str) -> None:
    left = tmp_path / "left"
    wrapper = program("wrapper", f"sleep 60 & echo $! > {left}; wait")
    supervisor.start(wrapper)
    assert wait_until(lambda: left.exists() and left.read_text().endswith("\n"), 10)
    pid = supervisor.pid("wrapper")
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: supervisor.pid("wrapper") is None, 10)
    server = Path(f"/proc/{left.read_text().strip()}/stat")
    assert server.read_text().rpartition(")")[2].split()[0] not in "ZX"
    if how == "stopped":
        supervisor.end(wrapper)
    else:
        supervisor.start(program("wrapper", "exec sleep 60"))
        supervisor.kill("wrapper")
    assert not server.exists() or " Z " in server.read_text()


def test_what_must_follow_a_stop_is_done(supervisor: Supervisor) -> None:
    done: list[str] = []
    mine = Program(
        name="p",
        argv=("sleep", "60"),
        ready=lambda: True,
        port=free_port(),
        after_stop=lambda: done.append("x"),
    )
    supervisor.start(mine)
    assert supervisor.end(mine)
    assert done == ["x"]


def test_a_program_that_runs_on_something_else_is_started_anew(supervisor: Supervisor) -> None:
    def start(runs_on: str) -> tuple[bool, int | None]:
        again = Supervisor(supervisor.run_dir, supervisor.log_dir)
        idle = Program(name="idle", argv=("sleep", "60"), ready=lambda: True, runs_on=runs_on)
        return again.start(idle), again.pid("idle")

    try:
        started, first = start("/venvs/nova.a b")
        assert started
        assert start("/venvs/nova.a b") == (False, first)
        assert start("") == (False, first)
        started, second = start("/venvs/nova.c")
        assert started and second != first
        file = supervisor.run_dir / "idle.pid"
        file.write_text(file.read_text().splitlines()[0] + "\n")  # of a release that did not write it down
        started, third = start("/venvs/nova.c")
        assert started and third != second
    finally:
        supervisor.kill("idle")
