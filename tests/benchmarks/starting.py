"""How soon daemons are ready, how long an empty schema takes, what memory they take at rest."""

from __future__ import annotations

import argparse
import contextlib
import statistics
import time
from typing import Any

from nova_tools.processes import Program, Supervisor
from tests.benchmarks import watching
from tests.benchmarks.lines import Record
from tests.benchmarks.our_cloud import Form, Identity, Standing, cloud, own_identity

_REST_S = 15.0
_POLL_S = 0.01


def run(asked: argparse.Namespace, record: Record) -> None:
    """Measure split and ``nova-all``, one fake host each."""
    forms = (
        Form(hosts=1, concurrency=asked.concurrency, database=asked.database),
        Form(hosts=1, concurrency=asked.concurrency, split=False, database="sqlite"),
    )
    with contextlib.ExitStack() as stack:
        identity: Identity | None = None
        if not asked.noauth:
            identity = stack.enter_context(own_identity())
        for form in forms:
            with cloud(form, identity) as standing:
                _measure(standing, record, 1 if asked.quick else 3)


def _measure(standing: Standing, record: Record, repeats: int) -> None:
    shape = "split" if standing.form.split else "nova-all"
    record.add(_line(f"{shape}: empty schema ({standing.form.database})", standing.schema_s, "s"))
    time.sleep(_REST_S)
    daemons = {name: standing.target.watch[name] for name in standing.programs}
    by = watching.memory_mib(daemons)
    record.add(_line(f"{shape}: memory at rest (PSS)", sum(by.values()), "MiB") | {"mib_by": by})
    for program in standing.programs.values():
        times = [_restart(standing.supervisor, program) for _ in range(repeats)]
        record.add(_line(f"{shape}: {program.name} ready after", statistics.median(times), "s"))


def _restart(supervisor: Supervisor, program: Program) -> float:
    supervisor.end(program)
    began = time.monotonic()
    supervisor.start(_impatient(program))
    return time.monotonic() - began


def _impatient(program: Program) -> Program:
    """Return the same, asked more often: the supervisor's own pauses are as long as what we measure."""

    def ready() -> bool:
        end = time.monotonic() + program.start_seconds
        while time.monotonic() < end:
            if program.ready():
                return True
            time.sleep(_POLL_S)
        return False

    return Program(
        name=program.name, argv=program.argv, env=program.env, ready=ready,
        start_seconds=program.start_seconds,
    )  # fmt: skip


def _line(name: str, value: float, unit: str) -> dict[str, Any]:
    return {"scenario": name, "side": "ours", "value": round(value, 3), "unit": unit}
