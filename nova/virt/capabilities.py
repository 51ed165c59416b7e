"""What a driver may do besides the musts: small Protocols, one for each capability.

A driver that has a capability implements its Protocol *and* names it in ``capabilities()``.  What a driver
cannot do is absent; there is no base class that raises.
"""

from __future__ import annotations

import pathlib
from collections.abc import Sequence
from typing import Protocol, TypeVar, runtime_checkable

from nova.errors.virt import NotCapable
from nova.objects.guest import ConsoleTarget, Diagnostics, GuestSpec
from nova.objects.holdings import GuestHoldings
from nova.objects.ids import InstanceId
from nova.objects.network import GuestFilter
from nova.objects.states import Capability
from nova.virt.base import Hypervisor

May = TypeVar("May")


def able(driver: Hypervisor, may: type[May], capability: Capability) -> May:
    """Return a driver as one that has a capability; raises ``NotCapable`` for one that does not say so."""
    if not isinstance(driver, may) or capability not in driver.capabilities():
        raise NotCapable(capability=capability.value)
    return driver


@runtime_checkable
class SoftReboot(Protocol):
    """``REBOOT_SOFT``."""

    def reboot_soft(self, spec: GuestSpec, timeout_s: int) -> bool:
        """Ask the guest to restart by itself; False if it did not within ``timeout_s``."""


@runtime_checkable
class Pause(Protocol):
    """``PAUSE``: stop and go on in memory."""

    def pause(self, instance_id: InstanceId) -> None: ...

    def unpause(self, instance_id: InstanceId) -> None: ...


@runtime_checkable
class Suspend(Protocol):
    """``SUSPEND``: memory to disk and back."""

    def suspend(self, instance_id: InstanceId) -> None: ...

    def resume(self, spec: GuestSpec) -> None: ...


@runtime_checkable
class Snapshots(Protocol):
    """``SNAPSHOT``."""

    def snapshot(self, instance_id: InstanceId, target: pathlib.Path, disk_format: str) -> None:
        """Write the root disk, whole and without backing file, to ``target``; the guest goes on running."""


@runtime_checkable
class ConsoleLog(Protocol):
    """``CONSOLE_LOG``."""

    def console_log(self, instance_id: InstanceId, tail_lines: int | None, limit_bytes: int) -> bytes: ...


@runtime_checkable
class Vnc(Protocol):
    """``VNC``."""

    def vnc(self, instance_id: InstanceId) -> ConsoleTarget: ...


@runtime_checkable
class Serial(Protocol):
    """``SERIAL``: a serial port that can be written to."""

    def serial(self, instance_id: InstanceId) -> ConsoleTarget: ...


@runtime_checkable
class GuestDiagnostics(Protocol):
    """``DIAGNOSTICS``."""

    def diagnostics(self, instance_id: InstanceId) -> Diagnostics: ...


@runtime_checkable
class HostFilters(Protocol):
    """The driver guards the guests' interfaces on this host (anti-spoofing, security groups)."""

    def apply_filters(self, filters: Sequence[GuestFilter]) -> None:
        """Make the rules of these guests what is said here, whole and at once."""


@runtime_checkable
class Inventoried(Protocol):
    """The driver can name all that its guests hold on this host, and what is left without a guest."""

    def holdings(self) -> GuestHoldings:
        """Look at the host itself (not at notes about it); changes nothing."""
