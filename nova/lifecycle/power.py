"""What an observed power state means for an instance that nobody works on (periodic and event sync)."""

from __future__ import annotations

import enum

from nova.objects.states import Power, Vm


class Remedy(enum.Enum):
    """What the reconciler does."""

    NOTHING = "nothing"
    RECORD = "record"
    """Only the power state is written down."""
    STOP = "stop"
    """The guest went off by itself: record it as stopped, by the ordinary stop."""
    START = "start"
    """It went with its machine: bring it back, by the ordinary start."""
    FORCE_STOP = "force_stop"
    """It runs though it should be off: stop it again."""


_OFF = frozenset({Power.SHUTDOWN, Power.CRASHED})


def remedy(vm: Vm, recorded: Power, observed: Power, *, host_booted: bool = False) -> Remedy:
    """Say what to do about an idle instance whose guest is seen as ``observed``.

    ``host_booted``: its machine was started anew meanwhile, and guests are to be as they were.
    """
    if host_booted and vm is Vm.ACTIVE and observed in _OFF:
        return Remedy.START
    if vm is Vm.ACTIVE and (observed in _OFF or observed is Power.SUSPENDED):
        return Remedy.STOP
    if vm is Vm.PAUSED and observed in _OFF:
        return Remedy.STOP
    if vm is Vm.STOPPED and observed is Power.RUNNING:
        return Remedy.FORCE_STOP
    if observed is not recorded and observed is not Power.NOSTATE:
        return Remedy.RECORD
    return Remedy.NOTHING
