"""The book of jobs: what was ordered, how it ended, what the conductor has not yet heard.

The rules are those of every agent: the same job may come twice (it is answered again), an older fence of an
instance is refused, and an answer is repeated until it was taken over.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable

from nova.objects.ids import HostName, InstanceId, JobId
from nova.objects.jobs import Job, JobOutcome, Verdict

REMEMBERED = 5000
"""Ended jobs, and instances with their fences, that are kept in mind."""


class JobBook:
    """The jobs of this agent.  For many threads."""

    def __init__(self, host: HostName) -> None:
        self._host = host
        self._lock = threading.Lock()
        self._waiting: dict[JobId, Job] = {}
        self._ended: OrderedDict[JobId, JobOutcome] = OrderedDict()
        self._fences: OrderedDict[InstanceId, int] = OrderedDict()
        self._untold: dict[JobId, JobOutcome] = {}

    def order(self, jobs: Iterable[Job]) -> bool:
        """Note jobs; True if there is now something to do or to tell."""
        something = False
        with self._lock:
            for job in jobs:
                something = True
                done = self._ended.get(job.id)
                if done is not None:
                    self._untold[job.id] = done
                elif job.fence < self._fences.get(job.instance_id, job.fence):
                    self._end(self.outcome(job, Verdict.REFUSED))
                else:
                    self._fences[job.instance_id] = job.fence
                    self._fences.move_to_end(job.instance_id)
                    self._waiting[job.id] = job
            while len(self._fences) > REMEMBERED:
                self._fences.popitem(last=False)
        return something

    def waiting(self) -> list[Job]:
        """Return the jobs that are to be done; they wait until :meth:`end` names them."""
        with self._lock:
            return list(self._waiting.values())

    def end(self, outcomes: Iterable[JobOutcome]) -> None:
        """Note how jobs ended; to be told."""
        with self._lock:
            for outcome in outcomes:
                self._end(outcome)

    def untold(self) -> list[JobOutcome]:
        """Return what the conductor has not yet taken over."""
        with self._lock:
            return list(self._untold.values())

    def told(self, outcomes: Iterable[JobOutcome]) -> None:
        """Note that the conductor took these over."""
        with self._lock:
            for outcome in outcomes:
                if self._untold.get(outcome.job_id) is outcome:
                    del self._untold[outcome.job_id]

    def status(self, job: JobId) -> JobOutcome:
        """Tell how a job stands."""
        with self._lock:
            ended = self._ended.get(job)
            if ended is not None:
                return ended
            waiting = self._waiting.get(job)
        if waiting is not None:
            return self.outcome(waiting, Verdict.PROGRESS)
        return JobOutcome(
            job_id=job, instance_id=InstanceId(""), fence=0, verdict=Verdict.UNKNOWN, host=self._host
        )

    def outcome(
        self, job: Job, verdict: Verdict, error: tuple[str, dict[str, object]] | None = None
    ) -> JobOutcome:
        """Make the report of a job."""
        return JobOutcome(
            job_id=job.id,
            instance_id=job.instance_id,
            fence=job.fence,
            verdict=verdict,
            host=self._host,
            error=error,
            retry_elsewhere=verdict is Verdict.FAILED,
        )

    def _end(self, outcome: JobOutcome) -> None:
        # The lock is held.
        self._waiting.pop(outcome.job_id, None)
        self._ended[outcome.job_id] = outcome
        self._untold[outcome.job_id] = outcome
        while len(self._ended) > REMEMBERED:
            self._ended.popitem(last=False)
