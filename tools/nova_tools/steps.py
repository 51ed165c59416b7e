"""Steps with dependencies: independent ones run side by side, finished ones are passed over."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from nova_tools.progress import Progress
from nova_tools.stamps import Stamps
from nova_tools.trouble import Trouble


def _nothing_missing() -> bool:
    return True


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing to get done.

    With ``inputs`` (see :func:`nova_tools.stamps.fingerprint`) it is passed over when it was finished with
    the same inputs and ``still_there`` holds; without, it runs every time and is quick when nothing is to do.
    ``run`` may return a few words that are shown behind the title.
    """

    name: str
    title: str
    run: Callable[[], str | None]
    after: tuple[str, ...] = ()
    inputs: str | None = None
    still_there: Callable[[], bool] = _nothing_missing


def run_steps(steps: Sequence[Step], stamps: Stamps, progress: Progress, workers: int = 8) -> None:
    """Run all steps, each after those it names; raise the first :class:`Trouble` once the running ones ended.

    A name in ``after`` that is no step of this run is taken as done.
    """
    names = {step.name for step in steps}
    waiting = list(steps)
    done: set[str] = set()
    running: dict[Future[None], str] = {}
    failure: BaseException | None = None
    progress.expect(len(steps))
    with ThreadPoolExecutor(workers, thread_name_prefix="step") as pool:
        while waiting or running:
            if failure is None:
                ready = [step for step in waiting if not (set(step.after) & names) - done]
                for step in ready:
                    waiting.remove(step)
                    running[pool.submit(_run_one, step, stamps, progress)] = step.name
            if not running:
                break
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                done.add(running.pop(future))
                failure = failure or future.exception()
    if failure is not None:
        raise failure
    if waiting:
        raise Trouble(f"These steps wait for each other: {', '.join(step.name for step in waiting)}")


def _run_one(step: Step, stamps: Stamps, progress: Progress) -> None:
    if step.inputs is not None and stamps.holds(step.name, step.inputs) and step.still_there():
        progress.passed_over(step.title)
        return
    started = time.monotonic()
    ended = threading.Event()
    beat = threading.Thread(target=progress.beat, args=(step.title, started, ended), daemon=True)
    beat.start()
    try:
        remark = step.run()
    except BaseException:
        progress.failed(step.title, time.monotonic() - started)
        raise
    finally:
        ended.set()
    if step.inputs is not None:
        stamps.put(step.name, step.inputs)
    progress.finished(step.title, time.monotonic() - started, remark)
