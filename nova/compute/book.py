"""The book of jobs of all hosts of this process.

The same job may come twice (it is answered again), an older fence of an instance is refused, and an answer is
repeated until the conductor took it over.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence

from nova.clock import Clock
from nova.objects.ids import HostName, InstanceId, JobId
from nova.objects.jobs import Job, JobOutcome, Verdict
from nova.objects.states import Power, Task

REMEMBERED_JOBS = 10_000
REMEMBERED_FENCES = 50_000

Key = tuple[HostName, InstanceId]


class Active:
    """A job that was taken and has not ended."""

    __slots__ = ("begun", "event", "host", "job", "phase", "phase_since", "phase_told", "taken_at")

    def __init__(self, host: HostName, job: Job, taken_at: float) -> None:
        self.host = host
        self.job = job
        self.taken_at = taken_at
        """On the monotonic clock."""
        self.begun = False
        self.phase: Task | None = None
        self.phase_since = 0.0
        self.phase_told = True
        self.event: Power | None = None
        """What the hypervisor said of the guest while the job ran."""

    @property
    def key(self) -> Key:
        return (self.host, self.job.instance_id)

    def outcome(self, verdict: Verdict) -> JobOutcome:
        """Make the plain report of this job."""
        job = self.job
        return JobOutcome(
            job_id=job.id, instance_id=job.instance_id, fence=job.fence, verdict=verdict, host=self.host
        )


class Book:
    """For many threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._active: dict[JobId, Active] = {}
        self._of_guest: dict[Key, list[Active]] = {}
        self._ended: OrderedDict[JobId, JobOutcome] = OrderedDict()
        self._fences: OrderedDict[Key, int] = OrderedDict()
        self._untold: dict[JobId, JobOutcome] = {}

    def take(self, host: HostName, jobs: Iterable[Job]) -> list[Active]:
        """Note jobs; return those that are to be done.

        Jobs that wait and are older than one of these are refused at once.
        """
        taken = []
        now = self._clock.monotonic()
        with self._lock:
            for job in jobs:
                done = self._ended.get(job.id)
                if done is not None:
                    self._untold[job.id] = done
                elif job.id not in self._active:
                    active = Active(host, job, now)
                    if job.fence < self._fences.get(active.key, job.fence):
                        self._end(active.outcome(Verdict.REFUSED))
                    else:
                        self._take(active)
                        taken.append(active)
        return taken

    def begin(self, active: Active) -> bool:
        """Note that a job is being done; False if it is not to be done any more."""
        with self._lock:
            active.begun = self._active.get(active.job.id) is active
            return active.begun

    def barred(self, active: Active) -> bool:
        """Tell whether a younger job of the instance came meanwhile."""
        with self._lock:
            return active.job.fence < self._fences.get(active.key, active.job.fence)

    def enter(self, active: Active, phase: Task) -> None:
        """Note how far a job is; told if it lasts."""
        active.phase, active.phase_since, active.phase_told = phase, self._clock.monotonic(), False

    def end(self, outcome: JobOutcome) -> Power | None:
        """Note how a job ended, to be told; return what the hypervisor said of the guest meanwhile."""
        with self._lock:
            active = self._active.get(outcome.job_id)
            self._end(outcome)
            return active.event if active is not None else None

    def overhear(self, host: HostName, instance: InstanceId, power: Power) -> bool:
        """Note what a hypervisor says of a guest; False when no job is at work on it."""
        with self._lock:
            running = [a for a in self._of_guest.get((host, instance), ()) if a.begun]
            for active in running:
                active.event = power
            return bool(running)

    def is_busy(self, host: HostName, instance: InstanceId) -> bool:
        """Tell whether a guest has jobs that have not ended."""
        with self._lock:
            return (host, instance) in self._of_guest

    def guests_at_work(self, host: HostName) -> set[InstanceId]:
        """Return the guests of a host that have jobs that have not ended or are not told."""
        with self._lock:
            of_host = {instance for there, instance in self._of_guest if there == host}
            return of_host | {told.instance_id for told in self._untold.values() if told.host == host}

    def lasting_phases(self, longer_s: float) -> list[JobOutcome]:
        """Return the phases that have lasted so long and were not told, each once."""
        since = self._clock.monotonic() - longer_s
        with self._lock:
            found = [a for a in self._active.values() if not a.phase_told and a.phase_since <= since]
            for active in found:
                active.phase_told = True
        return [_progress(active) for active in found]

    def untold(self, most: int) -> Sequence[JobOutcome]:
        """Return what the conductor has not yet taken over, at most so much."""
        with self._lock:
            return [outcome for outcome, _ in zip(self._untold.values(), range(most), strict=False)]

    def told(self, outcomes: Iterable[JobOutcome]) -> None:
        """Note that the conductor took these over."""
        with self._lock:
            for outcome in outcomes:
                if self._untold.get(outcome.job_id) is outcome:
                    del self._untold[outcome.job_id]

    def put_last(self, outcome: JobOutcome) -> None:
        """Let an outcome that cannot be told now wait behind the others."""
        with self._lock:
            if self._untold.get(outcome.job_id) is outcome:
                self._untold[outcome.job_id] = self._untold.pop(outcome.job_id)

    def status(self, host: HostName, job: JobId) -> JobOutcome:
        """Tell how a job stands."""
        with self._lock:
            ended = self._ended.get(job)
            active = self._active.get(job)
        if ended is not None:
            return ended
        if active is not None:
            return _progress(active)
        return JobOutcome(job_id=job, instance_id=InstanceId(""), fence=0, verdict=Verdict.UNKNOWN, host=host)

    def _take(self, active: Active) -> None:
        key, fence = active.key, active.job.fence
        for other in tuple(self._of_guest.get(key, ())):
            if not other.begun and other.job.fence < fence:
                self._end(other.outcome(Verdict.REFUSED))
        self._fences[key] = fence
        self._fences.move_to_end(key)
        if len(self._fences) > REMEMBERED_FENCES:
            self._fences.popitem(last=False)
        self._active[active.job.id] = active
        self._of_guest.setdefault(key, []).append(active)

    def _end(self, outcome: JobOutcome) -> None:
        active = self._active.pop(outcome.job_id, None)
        if active is not None:
            others = self._of_guest[active.key]
            others.remove(active)
            if not others:
                del self._of_guest[active.key]
        self._ended[outcome.job_id] = outcome
        self._untold[outcome.job_id] = outcome
        if len(self._ended) > REMEMBERED_JOBS:
            self._ended.popitem(last=False)


def _progress(active: Active) -> JobOutcome:
    job = active.job
    return JobOutcome(
        job_id=job.id,
        instance_id=job.instance_id,
        fence=job.fence,
        verdict=Verdict.PROGRESS,
        host=active.host,
        phase=active.phase.value if active.phase is not None else None,
    )
