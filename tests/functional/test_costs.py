"""Messages and SQL statements of every operation against ``tests/golden/costs.txt``.

``NOVA_REGOLDEN=1`` writes the table anew.  The costs must be the same in a small cloud and in one with many
hosts and servers, whatever the size of a page.
"""

from __future__ import annotations

import difflib
import os
import pathlib
from collections import Counter
from typing import Any

import pytest

from nova.api.compute import absent, registry
from nova.db import instances
from nova.db.configured import database
from nova.objects.ids import InstanceId
from tests.support.cloud import Bench, eventually, running_cloud, world_of
from tests.support.cost_script import GONE, SCRIPT, Step
from tests.support.costs import Line, Meter, text_of

GOLDEN = pathlib.Path(__file__).parents[1] / "golden" / "costs.txt"
HEAD = """\
What each operation of the Compute API costs: messages between daemons, SQL statements, commits.
Written by NOVA_REGOLDEN=1 pytest tests/functional/test_costs.py; loops (beats, views) are not counted.
Ten servers at once are shown without the reports of their hosts: how many share a commit is left open.
"""

# Nothing that comes by itself may come while we count.
QUIET = """
[DEFAULT]
report_interval = 900
service_down_time = 9000
[conductor]
lease = 900
job_ask = 900
[rpc]
resend_after = 60
[scheduler]
view_refresh_interval = 300
view_whole_interval = 9000
view_stale_after = 9000
"""

NOT_COUNTED = {
    "hosts.reboot": "answers 501",
    "hosts.shutdown": "answers 501",
    "hosts.startup": "answers 501",
    "hypervisors.uptime": "part of show since 2.88, the same call",
    "remote_consoles.os-getRDPConsole": "answers 400",
    "remote_consoles.os-getSPICEConsole": "as os-getVNCConsole",
    "remote_consoles.os-getSerialConsole": "as os-getVNCConsole",
    "services.delete": "would take a host away",
    "images.delete": "Glance's work, no message",
    "image_metadata.create": "Glance's work, no message",
    "image_metadata.update_all": "Glance's work, no message",
    "image_metadata.show": "Glance's work, no message",
    "image_metadata.update": "Glance's work, no message",
    "image_metadata.delete": "Glance's work, no message",
    "volume_attachments.show": "there are no volumes yet; the same call as index",
} | {operation.name: "answers 501" for operation in absent.OPERATIONS}


class Count:
    """Plays the script in a cloud."""

    def __init__(self, bench: Bench, meter: Meter) -> None:
        self.bench = bench
        self.meter = meter
        self.names = {"image": bench.image}
        self.world = world_of(bench.cloud)
        self.db = database(bench.conf)  # looking at states must not count

    def play(self, step: Step) -> Counter[Line]:
        """Do one step; return its costs."""
        path, body = self._filled(step.path), self._filled(step.body)
        self.meter.reset()
        answer = self.bench.admin.ask(step.method, path, body, version=step.version)
        assert answer.status < 300, (step, answer)
        for name, find in step.keep.items():
            self.names[name] = find(answer.body)
        eventually(lambda: self._settled(step.until))
        lines = self.meter.lines()
        if step.title.startswith("ten at once"):
            lines = Counter({k: n for k, n in lines.items() if not k[0].endswith(".report")})
        return lines

    def _settled(self, until: tuple[str, str] | None) -> bool:
        if self.meter.busy or self.world.engine.held():
            return False
        if until is None:
            return True
        found = self.db.read(lambda tx: instances.get(tx, InstanceId(self.names[until[0]])))
        if until[1] == GONE:
            return found is None or found.is_deleted
        assert found is not None
        return (found.vm_state, found.task_state) == (until[1], None) and not self.meter.busy

    def _filled(self, value: Any) -> Any:
        if isinstance(value, str):
            return value.format_map(self.names) if "{" in value else value
        if isinstance(value, dict):
            return {k: self._filled(v) for k, v in value.items()}
        if isinstance(value, list):
            return [self._filled(v) for v in value]
        return value


def title(step: Step) -> str:
    """Name a step in the table."""
    action = f" {next(iter(step.body))}" if step.path.endswith("/action") else ""
    return f"{step.name}: {step.method} {step.path}{action}" + (f" ({step.title})" if step.title else "")


def counted(home: pathlib.Path, *, hosts: int, servers: int) -> dict[str, Counter[Line]]:
    """Return the costs of all steps in a cloud that has so many hosts and servers already."""
    meter = Meter()
    with running_cloud(home, hosts=hosts, extra=QUIET, meter=meter) as bench:
        count = Count(bench, meter)
        made = 0
        while made < servers:
            number = min(100, servers - made)
            bench.admin.boot(bench.image, name="crowd", min_count=number, max_count=number)
            made += number
        eventually(lambda: active(bench) == servers)
        # Once for what is remembered from then on: images, policies, the scheduler's view.
        first = bench.admin.boot(bench.image, name="first")
        bench.admin.wait(first, "ACTIVE")
        return {title(step): count.play(step) for step in SCRIPT}


def active(bench: Bench) -> int:
    """Count the crowd's servers that run."""
    found = 0
    marker = ""
    while True:
        page = bench.admin.ask("GET", f"/servers?name=crowd&status=ACTIVE{marker}").body["servers"]
        found += len(page)
        if len(page) < 1000:
            return found
        marker = f"&marker={page[-1]['id']}"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Counter[Line]]:
    """What everything costs in a cloud of one host."""
    return counted(tmp_path_factory.mktemp("small"), hosts=1, servers=0)


def test_costs_are_those_of_the_table(small: dict[str, Counter[Line]]) -> None:
    text = HEAD
    for name, lines in small.items():
        rows = text_of(lines) or ["    nothing: remembered by the API"]
        text += "\n".join(["", name, *rows, ""])
    if os.environ.get("NOVA_REGOLDEN"):
        GOLDEN.write_text(text)
    known = GOLDEN.read_text() if GOLDEN.exists() else ""
    changed = difflib.unified_diff(
        known.splitlines(), text.splitlines(), "tests/golden/costs.txt", "counted now", n=3, lineterm=""
    )
    told = "\n".join(changed)
    assert not told, f"costs changed; if that is meant, run with NOVA_REGOLDEN=1 and say why:\n{told}"


def test_costs_do_not_grow_with_the_cloud(small: dict[str, Counter[Line]], tmp_path: pathlib.Path) -> None:
    large = counted(tmp_path, hosts=20, servers=300)
    grown = [
        f"{name}\n  small cloud:\n" + "\n".join(text_of(small[name])) + "\n  large cloud:\n"
        + "\n".join(text_of(lines))
        for name, lines in large.items()
        if lines != small[name] and "ten at once" not in name
    ]  # fmt: skip
    assert not grown, "\n".join(grown)


def test_every_operation_is_in_the_table() -> None:
    names = (operation.name for operation in registry.operations() if not operation.gone)
    # os-volumes_boot is another path to the servers.
    known = {name for name in names if not name.startswith("volumes_boot.")}
    played = {step.name for step in SCRIPT}
    assert known == played | {name for name in NOT_COUNTED if not name.startswith("volumes_boot.")}
    assert not played & set(NOT_COUNTED)
