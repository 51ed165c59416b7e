"""The benchmarks' HTTP scenarios work against a cloud: each once, in the least size."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

from tests.benchmarks.scenarios import ALL
from tests.support.cloud import Bench


def test_every_scenario_runs_without_errors(cloud: Bench, tmp_path: pathlib.Path) -> None:
    out = tmp_path / "lines"
    where = f"http://127.0.0.1:{cloud.port}/v2.1"
    words = ["endpoint", "--endpoint", where, "--token", "admin:admin", "--sizes", "tiny", "--out", str(out)]
    words += ["--image", cloud.image, "--flavor", "1", "--watch", f"everything:{os.getpid()}"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", *words],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "failed" not in done.stderr, done.stderr
    lines = [json.loads(text) for text in out.read_text().splitlines()]
    assert not [line for line in lines if line.get("errors")], lines
    measured = {line["scenario"] for line in lines}
    assert len(measured) >= len(ALL) and {"show", "create_burst", "stop", "memory"} <= measured, measured
