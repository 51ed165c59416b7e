"""Does one job and makes its report, whatever happens meanwhile."""

from __future__ import annotations

import logging

import msgspec

from nova import log
from nova.clock import Clock
from nova.compute.book import Active, Book
from nova.compute.host import Host, context
from nova.compute.ops.act import act
from nova.compute.ops.attempt import Attempt, Barred, Unclear
from nova.compute.ops.build import build
from nova.compute.ops.destroy import destroy
from nova.compute.ops.snapshot import snapshot
from nova.errors import BadRequest, NovaError
from nova.errors.servers import ImageNotFound
from nova.errors.virt import ActionFailed, BuildFailed, HypervisorUnavailable, ImageUnusable
from nova.objects.jobs import Act, Build, Destroy, JobOutcome, Snapshot, Verdict
from nova.objects.states import Power

LOG = logging.getLogger(__name__)

_ANYWHERE = (ImageUnusable, ImageNotFound, BadRequest)
"""Failures of a build that another host would meet too."""


class Worker:
    """Does jobs; shared by all hosts."""

    def __init__(self, book: Book, clock: Clock) -> None:
        self._book = book
        self._clock = clock

    def do(self, host: Host, active: Active) -> JobOutcome | None:
        """Do a job and return its report; none when it ended before it began."""
        if not self._book.begin(active):
            return None
        with log.bound(context(), active.job.instance_id):
            outcome = self._do(host, active)
        return msgspec.structs.replace(outcome, finished_at=self._clock.now())

    def _do(self, host: Host, active: Active) -> JobOutcome:
        attempt = Attempt(host, active, self._book)
        unclear = False
        try:
            power = self._deed(attempt)
            return msgspec.structs.replace(active.outcome(Verdict.DONE), power=power)
        except Barred:
            return active.outcome(Verdict.REFUSED)
        except Unclear as left:
            unclear = True
            error = _told(left.__cause__, attempt)
        except NovaError as failure:
            # A build has cleaned up after itself.
            unclear = isinstance(failure, HypervisorUnavailable) and not isinstance(active.job.order, Build)
            error = failure
        except Exception as surprise:  # a job must be answered, whatever its deed met
            LOG.exception("job %s met something unforeseen", active.job.id)
            unclear = not isinstance(active.job.order, Build)
            error = _told(surprise, attempt)
        LOG.warning("job %s failed: %s", active.job.id, error)
        name, facts = error.to_wire()
        return msgspec.structs.replace(
            active.outcome(Verdict.FAILED),
            error=(name, facts),
            retry_elsewhere=isinstance(active.job.order, Build) and not isinstance(error, _ANYWHERE),
            details={"unclear": True} if unclear else {},
        )

    def _deed(self, attempt: Attempt) -> Power | None:
        order = attempt.job.order
        if isinstance(order, Build):
            if not attempt.host.is_wanted(attempt.job, attempt.taken_at, self._clock.monotonic()):
                raise Barred
            return build(attempt, order)
        if isinstance(order, Destroy):
            destroy(attempt, order)
            return None
        if isinstance(order, Act):
            return act(attempt, order)
        if isinstance(order, Snapshot):
            return snapshot(attempt, order)
        raise BadRequest(reason=f"nova-compute does no {type(order).__name__}")


def _told(cause: BaseException | None, attempt: Attempt) -> NovaError:
    """Return what may be told of a failure; of a surprise only that there was one."""
    if isinstance(cause, NovaError):
        return cause
    reason = "something went wrong that was not foreseen; the log of the host tells more"
    if isinstance(attempt.job.order, Build):
        return BuildFailed(host=attempt.host.name, reason=reason)
    action = type(attempt.job.order).__name__.lower()
    return ActionFailed(action=action, host=attempt.host.name, reason=reason)
