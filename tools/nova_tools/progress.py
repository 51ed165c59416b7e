"""What a person sees while steps run: one line when a step starts to be long, one when it is done."""

from __future__ import annotations

import sys
import threading
import time
from typing import TextIO


class Progress:
    """Prints numbered lines with timings; usable from several threads."""

    PATIENCE_SECONDS = 1.0
    BEAT_SECONDS = 15.0

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._lock = threading.Lock()
        self._total = 0
        self._count = 0

    def expect(self, steps: int) -> None:
        """So many more steps will come."""
        with self._lock:
            self._total += steps

    def say(self, text: str) -> None:
        """Print a line of its own."""
        with self._lock:
            print(text, file=self._out, flush=True)

    def passed_over(self, title: str) -> None:
        self._end_line(f"{title}: already there")

    def finished(self, title: str, seconds: float, remark: str | None) -> None:
        behind = f" ({remark})" if remark else ""
        self._end_line(f"{title}: done in {seconds:.1f} s{behind}")

    def failed(self, title: str, seconds: float) -> None:
        self.say(f"    FAIL {title}, after {seconds:.1f} s")

    def beat(self, title: str, started: float, ended: threading.Event) -> None:
        """Say that a step is at work once it is no quick one, then every so often, until ``ended`` is set."""
        if ended.wait(self.PATIENCE_SECONDS):
            return
        self.say(f"         {title} ...")
        while not ended.wait(self.BEAT_SECONDS):
            self.say(f"         {title} ... still working ({time.monotonic() - started:.0f} s)")

    def _end_line(self, text: str) -> None:
        with self._lock:
            self._count += 1
            print(f"[{self._count:2}/{self._total:2}]  {text}", file=self._out, flush=True)
