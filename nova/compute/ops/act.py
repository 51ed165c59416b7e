"""Every action that is one capability call."""

from __future__ import annotations

from collections.abc import Callable

from nova.compute.host import context
from nova.compute.ops.attempt import Attempt
from nova.compute.ops.build import power_of
from nova.errors.virt import NotCapable
from nova.objects.guest import GuestSpec
from nova.objects.jobs import Act
from nova.objects.states import Capability, Power, Task
from nova.virt.capabilities import Pause, SoftReboot, Suspend, able


def act(attempt: Attempt, order: Act) -> Power | None:
    """Do the action; return what the guest is then."""
    deed = _DEEDS.get(order.action)
    if deed is None:
        raise NotCapable(capability=order.action)
    deed(attempt, order)
    return power_of(attempt.host, attempt)


def _spec(attempt: Attempt, order: Act) -> GuestSpec:
    if order.guest is not None:
        return order.guest
    return attempt.host.means.conductor.guest(context(), attempt.instance_id)


def _patience(attempt: Attempt, order: Act) -> int:
    return order.timeout_s if order.timeout_s is not None else attempt.host.means.conf.shutdown_timeout_s


def _stop(attempt: Attempt, order: Act) -> None:
    attempt.host.driver.power_off(attempt.instance_id, _patience(attempt, order))


def _start(attempt: Attempt, order: Act) -> None:
    attempt.host.driver.power_on(_spec(attempt, order))


def _reboot_soft(attempt: Attempt, order: Act) -> None:
    """Ask the guest; one that cannot or does not hear is restarted hard."""
    driver, spec = attempt.host.driver, _spec(attempt, order)
    attempt.enter(Task.REBOOT_STARTED)
    soft = isinstance(driver, SoftReboot) and Capability.REBOOT_SOFT in driver.capabilities()
    if not (soft and driver.reboot_soft(spec, _patience(attempt, order))):  # type: ignore[attr-defined]
        driver.reboot_hard(spec)


def _reboot_hard(attempt: Attempt, order: Act) -> None:
    spec = _spec(attempt, order)
    attempt.enter(Task.REBOOT_STARTED_HARD)
    attempt.host.driver.reboot_hard(spec)


def _pause(attempt: Attempt, order: Act) -> None:  # noqa: ARG001
    able(attempt.host.driver, Pause, Capability.PAUSE).pause(attempt.instance_id)


def _unpause(attempt: Attempt, order: Act) -> None:  # noqa: ARG001
    able(attempt.host.driver, Pause, Capability.PAUSE).unpause(attempt.instance_id)


def _suspend(attempt: Attempt, order: Act) -> None:  # noqa: ARG001
    able(attempt.host.driver, Suspend, Capability.SUSPEND).suspend(attempt.instance_id)


def _resume(attempt: Attempt, order: Act) -> None:
    able(attempt.host.driver, Suspend, Capability.SUSPEND).resume(_spec(attempt, order))


_DEEDS: dict[str, Callable[[Attempt, Act], None]] = {
    "start": _start,
    "stop": _stop,
    "reboot_soft": _reboot_soft,
    "reboot_hard": _reboot_hard,
    "pause": _pause,
    "unpause": _unpause,
    "suspend": _suspend,
    "resume": _resume,
}
