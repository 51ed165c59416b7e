import os
import subprocess
import sys
import time

import pytest

from nova.errors.host import CommandFailed, CommandTimedOut, ProgramMissing
from nova.privsep.run import run


def test_says_what_the_program_said():
    done = run(["sh", "-c", "cat; echo oops >&2"], stdin=b"hello", timeout_s=10)
    assert (done.code, done.stdout, done.stderr) == (0, b"hello", b"oops\n")


def test_large_input_and_output_do_not_block():
    data = os.urandom(3_000_000)
    assert run(["cat"], stdin=data, timeout_s=10).stdout == data


def test_unexpected_exit_code_is_an_error_with_the_reason():
    with pytest.raises(CommandFailed) as caught:
        run(["sh", "-c", "echo no such thing >&2; exit 3"], timeout_s=10)
    assert caught.value.facts == {"program": "sh", "code": 3, "stderr": "no such thing"}
    assert run(["sh", "-c", "exit 3"], timeout_s=10, ok=(0, 3)).code == 3


def test_missing_program():
    with pytest.raises(ProgramMissing):
        run(["/no/such/program"], timeout_s=10)


def test_deadline_kills_the_whole_group(tmp_path):
    mark = tmp_path / "pid"
    began = time.monotonic()
    with pytest.raises(CommandTimedOut):
        run(["sh", "-c", f"sleep 60 & echo $! > {mark}; wait"], timeout_s=0.3)
    assert time.monotonic() - began < 5
    child = int(mark.read_text())
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and _alive(child):
        time.sleep(0.01)
    assert not _alive(child)


def test_a_child_in_the_background_does_not_hold_the_call():
    began = time.monotonic()
    done = run(["sh", "-c", "sleep 3 & echo $!"], timeout_s=10)
    assert time.monotonic() - began < 2
    os.kill(int(done.text), 9)


@pytest.mark.parametrize("mode", ["eventlet", "threading"])
def test_other_work_goes_on_meanwhile(mode):
    script = """
from nova import concurrency
import sys
concurrency.start(sys.argv[1])
import threading, time
from nova.privsep.run import run
ticks, stop = [], []
def tick():
    while not stop:
        ticks.append(1)
        time.sleep(0.01)
thread = threading.Thread(target=tick)
thread.start()
run(["sleep", "0.5"], timeout_s=5)
stop.append(1)
thread.join()
print(len(ticks))
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, mode], capture_output=True, timeout=60
    )
    assert int(done.stdout) > 10, done.stderr


def _alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
