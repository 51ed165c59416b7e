"""Calls that hang never stop others, in both modes of concurrency."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from nova.virt.libvirt.calls import Calls, CallTimedOut, TooManyStuck
from nova.virt.libvirt.events import Mailbox, News


def test_results_and_errors_come_back() -> None:
    calls = Calls()
    assert calls.within(5, lambda: 41 + 1) == 42
    with pytest.raises(KeyError):
        calls.within(5, lambda: {}["x"])


def test_a_hanging_call_is_given_up_and_counted_until_it_returns() -> None:
    calls, release, back = Calls(max_stuck=2), threading.Event(), threading.Event()

    def hang() -> None:
        release.wait(30)
        back.set()

    for _ in range(2):
        with pytest.raises(CallTimedOut):
            calls.within(0.05, hang)
    assert calls.stuck == 2
    with pytest.raises(TooManyStuck):
        calls.within(5, lambda: 1)
    release.set()
    assert back.wait(5)
    for _ in range(500):
        if not calls.stuck:
            break
        threading.Event().wait(0.01)
    assert calls.within(5, lambda: 1) == 1


def test_news_keep_their_order() -> None:
    mailbox = Mailbox()
    threading.Timer(0.05, lambda: [mailbox.put(News(event=n)) for n in range(3)]).start()
    taken: list[News] = []
    while len(taken) < 3:
        taken += mailbox.take(5)
    assert [news.event for news in taken] == [0, 1, 2]
    assert mailbox.take(0.01) == []


@pytest.mark.parametrize("mode", ["eventlet", "threading"])
def test_other_work_goes_on_during_a_blocking_call(mode: str) -> None:
    script = """
import ctypes, sys
from nova import concurrency
concurrency.start(sys.argv[1])
import threading, time
from nova.virt.libvirt.calls import Calls, CallTimedOut
from nova.virt.libvirt.events import Mailbox, News
ticks, stop, mailbox = [], [], Mailbox()
def tick():
    while not stop:
        ticks.append(1)
        time.sleep(0.01)
threading.Thread(target=tick, daemon=True).start()
libc = ctypes.CDLL("libc.so.6")
calls = Calls()
def sleep_in_c():
    libc.usleep(300_000)
    mailbox.put(News(event=7))
calls.within(5, sleep_in_c)
assert mailbox.take(5)[0].event == 7
try:
    calls.within(0.1, lambda: libc.usleep(2_000_000))
    print("no timeout")
except CallTimedOut:
    print(len(ticks) > 10)
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, mode], capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == "True", done.stderr
