"""Take a guest away."""

from __future__ import annotations

from nova.compute.ops.attempt import Attempt
from nova.objects.jobs import Destroy


def destroy(attempt: Attempt, order: Destroy) -> None:
    """Destroy the guest with its disks; nothing there is fine."""
    reason = order.reason or f"job {attempt.job.id}"
    attempt.host.driver.destroy(attempt.instance_id, reason)
