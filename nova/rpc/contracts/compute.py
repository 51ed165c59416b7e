"""nova-compute."""

from __future__ import annotations

from nova.context import RequestContext
from nova.objects.guest import ConsoleTarget, Diagnostics
from nova.objects.holdings import GuestHoldings
from nova.objects.ids import InstanceId, JobId
from nova.objects.image import Image
from nova.objects.jobs import Job, JobOutcome
from nova.rpc.contract import call, cast, contract
from nova.rpc.contracts.base import Common


@contract(topic="compute", version="1.3")
class Compute(Common):
    """Does jobs on one host; addressed by host name."""

    @cast(since="1.0")
    def run_jobs(self, ctx: RequestContext, jobs: list[Job]) -> None:
        """Do these jobs; each is answered by ``Reports.report``, however often it is sent."""

    @call(since="1.0", timeout=20, idempotent=True)
    def job_status(self, ctx: RequestContext, jobs: list[JobId]) -> list[JobOutcome]:
        """Tell how these jobs stand; verdict ``unknown`` for those this agent never saw."""

    @call(since="1.0", timeout=30, idempotent=True)
    def console_output(self, ctx: RequestContext, instance: InstanceId, tail: int | None) -> str:
        """Return the last ``tail`` lines of the console log (none = all that is kept, bounded)."""

    @call(since="1.0", timeout=30, idempotent=True)
    def vnc(self, ctx: RequestContext, instance: InstanceId) -> ConsoleTarget:
        """Tell where the guest's VNC server listens."""

    @call(since="1.0", timeout=30, idempotent=True)
    def diagnostics(self, ctx: RequestContext, instance: InstanceId) -> Diagnostics:
        """Return the guest's counters."""

    @call(since="1.1", timeout=30, idempotent=True)
    def holdings(self, ctx: RequestContext) -> GuestHoldings:
        """Look at the host and name all that guests hold there; changes nothing."""

    @cast(since="1.2")
    def cache_images(self, ctx: RequestContext, images: list[Image]) -> None:
        """Fetch these images ahead of need; a build fetches what did not arrive, so nobody is answered."""

    @cast(since="1.0")
    def filters_changed(self, ctx: RequestContext, instances: list[InstanceId]) -> None:
        """The packet filters of these guests changed: ask the conductor for them."""
