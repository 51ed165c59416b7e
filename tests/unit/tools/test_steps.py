from __future__ import annotations

import io
import threading
from pathlib import Path

import pytest

from nova_tools.progress import Progress
from nova_tools.stamps import Stamps
from nova_tools.steps import Step, run_steps
from nova_tools.trouble import Trouble


class Bench:
    """Runs steps that note their names."""

    def __init__(self, directory: Path) -> None:
        self.stamps = Stamps(directory)
        self.out = io.StringIO()
        self.ran: list[str] = []

    def step(self, name: str, *after: str, inputs: str | None = None, there: bool = True) -> Step:
        def work() -> str | None:
            self.ran.append(name)
            return None

        return Step(name=name, title=name, run=work, after=after, inputs=inputs, still_there=lambda: there)

    def run(self, *steps: Step) -> None:
        run_steps(steps, self.stamps, Progress(self.out))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_each_step_runs_after_those_it_names(bench: Bench) -> None:
    bench.run(bench.step("c", "b", "elsewhere"), bench.step("b", "a"), bench.step("a"))
    assert bench.ran == ["a", "b", "c"]


def test_independent_steps_run_side_by_side(bench: Bench) -> None:
    meeting = threading.Barrier(2)

    def meet() -> str | None:
        meeting.wait(10)
        return None

    bench.run(Step(name="a", title="a", run=meet), Step(name="b", title="b", run=meet))


def test_a_finished_step_is_passed_over_until_its_inputs_change(bench: Bench) -> None:
    bench.run(bench.step("a", inputs="1"))
    bench.run(bench.step("a", inputs="1"))
    assert bench.ran == ["a"]
    assert "a: already there" in bench.out.getvalue()
    bench.run(bench.step("a", inputs="2"))
    assert bench.ran == ["a", "a"]


def test_a_finished_step_whose_work_is_gone_runs_again(bench: Bench) -> None:
    bench.run(bench.step("a", inputs="1"))
    bench.run(bench.step("a", inputs="1", there=False))
    assert bench.ran == ["a", "a"]


def test_a_failed_step_leaves_no_stamp_and_stops_those_behind_it(bench: Bench) -> None:
    def fail() -> str | None:
        raise Trouble("The disk is full", "Free some")

    with pytest.raises(Trouble, match=r"The disk is full\. Free some\."):
        bench.run(Step(name="a", title="a", run=fail, inputs="1"), bench.step("b", "a"))
    assert bench.ran == []
    assert not bench.stamps.holds("a", "1")
    assert "FAIL a" in bench.out.getvalue()


def test_steps_that_wait_for_each_other_are_a_clear_error(bench: Bench) -> None:
    with pytest.raises(Trouble, match="wait for each other: a, b"):
        bench.run(bench.step("a", "b"), bench.step("b", "a"))
