"""One run of ``tools/test``: parts side by side, what failed once more, the summary, an end at any moment."""

from __future__ import annotations

import signal
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from types import FrameType

from nova_tools.checks.again import block, deserves_another
from nova_tools.checks.parts import Part
from nova_tools.checks.results import Counts, PartResult
from nova_tools.checks.runner import FIXTURES_SECONDS, Runner
from nova_tools.commands import tail
from nova_tools.progress import Progress

_BEAT_SECONDS = 60.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """A signal asked for the end."""

    def __init__(self, number: int) -> None:
        self.exit_code = 128 + number
        super().__init__(signal.Signals(number).name)


def signals_raise() -> None:
    """Let the first signal that asks for an end raise :class:`Interrupted`, and nothing disturb that end.

    Handlers of ours rather than what was there: a shell that puts us into the background lets SIGINT be
    ignored, which the parts would inherit.
    """

    def interrupt(number: int, _frame: FrameType | None) -> None:
        for other in _SIGNALS:
            signal.signal(other, lambda *_: None)
        raise Interrupted(number)

    for number in _SIGNALS:
        signal.signal(number, interrupt)


class Run:
    """Runs parts to the end, ``jobs`` at a time, and tells of them."""

    def __init__(self, parts: list[Part], runner: Runner, progress: Progress, jobs: int) -> None:
        self._pool = ThreadPoolExecutor(max(1, jobs))
        self._parts = parts
        self._runner = runner
        self._progress = progress
        self._futures: list[Future[PartResult]] = []
        self._running: set[str] = set()
        self._started = time.monotonic()

    def all(self, *, second_chance: bool) -> int:
        """Run the parts; return the exit code. The last line said is the total.

        Raises :class:`Interrupted` when a signal came; nothing that was started runs then.
        """
        self._runner.offspring.adopt()
        ended = threading.Event()
        threading.Thread(target=self._beat, args=(ended,), daemon=True).start()
        self._progress.say("")
        try:
            results = self._side_by_side()
            if second_chance:
                results = self._once_more(results)
        except Interrupted:
            self._stop()
            raise
        finally:
            ended.set()
        return self._summary(results)

    def _side_by_side(self) -> list[PartResult]:
        self._futures = [self._pool.submit(self._one, part) for part in self._parts]
        wait(self._futures)
        self._end_what_is_left()
        return [future.result() for future in self._futures]

    def _one(self, part: Part) -> PartResult:
        self._running.add(part.name)
        result = self._runner.run(part)
        self._running.discard(part.name)
        if self._runner.stopping.is_set():
            return result
        self._progress.say(result.line())
        if not result.good:
            self._progress.say(_what_went_wrong(result))
        return result

    def _once_more(self, results: list[PartResult]) -> list[PartResult]:
        return [self._again(part, result) for part, result in zip(self._parts, results, strict=True)]

    def _again(self, part: Part, result: PartResult) -> PartResult:
        if not deserves_another(result):
            return result
        self._progress.say(f"     {part.name}: {len(result.failures)} failed, once more and alone")
        self._futures.append(self._pool.submit(self._runner.run_again, part, result))
        wait(self._futures)
        self._end_what_is_left()
        return self._futures[-1].result()

    def _stop(self) -> None:
        self._progress.say(f"\nEnding {', '.join(sorted(self._running)) or 'tests'} and all they started ...")
        for future in self._futures:
            future.cancel()
        self._runner.stop()
        wait(self._futures, FIXTURES_SECONDS)
        self._end_what_is_left()

    def _end_what_is_left(self) -> None:
        left = self._runner.offspring.end_all()
        if left:
            self._progress.say(f"     ended what was left running: {', '.join(left)}")

    def _summary(self, results: list[PartResult]) -> int:
        say = self._progress.say
        say(f"\n{'=' * 30} summary {'=' * 30}")
        for result in results:
            say(result.line())
            for test in result.failures[:40]:
                say(f"       {test}")
        total = sum((result.counts for result in results), Counts())
        say(f"in {time.monotonic() - self._started:.0f} s; logs in {self._runner.places.logs}\n")
        if again := block(results):
            say(f"{again}\n")
        say(str(total))
        return 1 if total.failed else 0

    def _beat(self, ended: threading.Event) -> None:
        while not ended.wait(_BEAT_SECONDS):
            seconds = time.monotonic() - self._started
            self._progress.say(f"     ... {seconds:.0f} s, running: {', '.join(sorted(self._running))}")


def _what_went_wrong(result: PartResult) -> str:
    text = tail(result.log, 120 if result.failures else 60)
    return f"----- end of {result.log}\n{text}\n----- {result.log.name}"
