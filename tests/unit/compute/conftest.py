"""nova-compute with the fake driver, a conductor of the tests' own, and memory between them."""

from __future__ import annotations

import itertools
import json
import pathlib
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from nova import ids
from nova.clock import Clock
from nova.compute.daemon import make_daemon
from nova.conf import load
from nova.context import system_context
from nova.daemon import Daemon, Surroundings
from nova.objects.ids import InstanceId, JobId
from nova.objects.jobs import Act, Build, Destroy, Job, Order, Verdict
from nova.rpc.contracts.compute import Compute
from nova.rpc.contracts.conductor.reports import Reports
from tests.support.eventually import eventually
from tests.support.guests import a_guest, an_id
from tests.unit.compute.conductor_double import ConductorDouble


class JumpingClock(Clock):
    """The real clock, which may jump as it seems to jump to a process that stood still."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead


class Cloud:
    """One nova-compute process and its conductor."""

    def __init__(self, folder: pathlib.Path, **options: str) -> None:
        self.folder = folder
        self.clock = JumpingClock()
        self.daemon: Daemon | None = None
        self.script_file = folder / "script.json"
        self.script()
        self.options = options
        self.bus = uuid.uuid4().hex
        self.conductor = ConductorDouble()
        self.around = self.surroundings()
        self.server = self.around.at("conductor").server(Reports, self.conductor)
        self.server.start()
        self._numbers = itertools.count(1)

    def surroundings(self) -> Surroundings:
        file = self.folder / "nova.conf"
        wanted = {"phase_delay": "0.05"} | self.options
        compute = "".join(f"{k} = {v}\n" for k, v in wanted.items() if k in _COMPUTE)
        fake = "".join(f"{k} = {v}\n" for k, v in wanted.items() if k in _FAKE)
        file.write_text(
            f"[DEFAULT]\ncompute_driver = fake.FakeDriver\ntransport_url = memory://x/{self.bus}\n"
            f"state_path = {self.folder}\nhost = h\nreport_interval = 0.2\n"
            + "".join(f"{k} = {v}\n" for k, v in wanted.items() if k not in _COMPUTE | _FAKE)
            + f"[compute]\n{compute}[fake]\nworld = {self.folder}/world\nscript = {self.script_file}\n{fake}"
            + "[image]\nstore = directory\n"
        )
        return Surroundings(load([], [str(file)]), clock=self.clock)

    def start(self) -> Daemon:
        self.daemon = make_daemon(self.surroundings())
        self.daemon.start()
        return self.daemon

    def serving(self) -> Cloud:
        assert self.start().wait_serving(10)
        return self

    def script(self, *rules: dict[str, Any]) -> None:
        """Change what the hypervisors do."""
        self.script_file.write_text(json.dumps(rules))
        if self.daemon is not None:
            # The driver looks at the file that seldom.
            time.sleep(0.25)

    def job(self, number: int, order: Order, fence: int = 1) -> Job:
        job = JobId(f"job-{next(self._numbers)}")
        return Job(id=job, instance_id=an_id(number), fence=fence, order=order)

    def build(self, number: int, fence: int = 1, **changes: Any) -> Job:
        return self.job(number, Build(guest=a_guest(number, **changes)), fence)

    def act(self, number: int, action: str, fence: int = 1, **more: Any) -> Job:
        return self.job(number, Act(action=action, **more), fence)

    def destroy(self, number: int, fence: int = 1) -> Job:
        return self.job(number, Destroy(reason="test"), fence)

    def send(self, *jobs: Job, host: str = "h", known: bool = True) -> None:
        """Order jobs of a host; ``known``: the conductor stands by them."""
        if known:
            self.conductor.late_debts += jobs
        self.host(host).run_jobs(context(), list(jobs))

    def host(self, host: str = "h") -> Compute:
        return self.around.client(Compute).host(host)

    def verdict(self, job: Job) -> Verdict:
        """Wait for the report of a job."""
        eventually(lambda: job.id in self.conductor.ended(), what=f"report of {job.id}")
        return self.conductor.ended()[job.id]

    def do(self, job: Job, host: str = "h") -> Verdict:
        self.send(job, host=host)
        return self.verdict(job)

    def powers(self) -> dict[InstanceId, Any]:
        """Return what the conductor was told of guests apart from jobs."""
        return {g.instance_id: g.power for _, guests, _ in self.conductor.seen for g in guests}

    def stop(self) -> None:
        self.script()
        if self.daemon is not None:
            self.daemon.stop(5)
        self.server.stop(5)


_COMPUTE = {"phase_delay", "verify_window", "workers", "drain_seconds"}
_FAKE = {"hosts"}


def context() -> Any:
    return system_context(ids.new_request_id())


@pytest.fixture
def clouds(tmp_path: pathlib.Path) -> Iterator[Callable[..., Cloud]]:
    """Make clouds that are taken down after the test."""
    made: list[Cloud] = []

    def make(**options: str) -> Cloud:
        folder = tmp_path / f"cloud-{len(made)}"
        folder.mkdir()
        made.append(Cloud(folder, **options))
        return made[-1]

    yield make
    for cloud in made:
        cloud.stop()


@pytest.fixture
def cloud(clouds: Callable[..., Cloud]) -> Cloud:
    """A cloud of one host that serves."""
    return clouds().serving()
