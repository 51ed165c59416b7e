"""libvirt's words for states as ours: pure."""

from __future__ import annotations

import libvirt

from nova.objects.states import Power

_STATES = {
    libvirt.VIR_DOMAIN_NOSTATE: Power.NOSTATE,
    libvirt.VIR_DOMAIN_RUNNING: Power.RUNNING,
    # Waiting for a resource is running to everybody but the hypervisor.
    libvirt.VIR_DOMAIN_BLOCKED: Power.RUNNING,
    libvirt.VIR_DOMAIN_PAUSED: Power.PAUSED,
    # On its way down: the process is still there.
    libvirt.VIR_DOMAIN_SHUTDOWN: Power.RUNNING,
    libvirt.VIR_DOMAIN_SHUTOFF: Power.SHUTDOWN,
    libvirt.VIR_DOMAIN_CRASHED: Power.CRASHED,
    libvirt.VIR_DOMAIN_PMSUSPENDED: Power.SUSPENDED,
}
# Paused for a moment by the hypervisor itself, not by anybody who wanted a paused guest.
_PASSING = frozenset(
    {
        libvirt.VIR_DOMAIN_PAUSED_MIGRATION,
        libvirt.VIR_DOMAIN_PAUSED_SAVE,
        libvirt.VIR_DOMAIN_PAUSED_DUMP,
        libvirt.VIR_DOMAIN_PAUSED_FROM_SNAPSHOT,
        libvirt.VIR_DOMAIN_PAUSED_SNAPSHOT,
        libvirt.VIR_DOMAIN_PAUSED_STARTING_UP,
        libvirt.VIR_DOMAIN_PAUSED_SHUTTING_DOWN,
    }
)


def power_of(state: int, reason: int, *, saved: bool) -> Power:
    """Return the power state; ``saved``: there is a managed save image."""
    if state == libvirt.VIR_DOMAIN_SHUTOFF:
        if reason == libvirt.VIR_DOMAIN_SHUTOFF_CRASHED:
            return Power.CRASHED
        return Power.SUSPENDED if saved else Power.SHUTDOWN
    if state == libvirt.VIR_DOMAIN_PAUSED and reason in _PASSING:
        return Power.RUNNING
    return _STATES.get(state, Power.NOSTATE)
