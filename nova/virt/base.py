"""What every driver must do, and what an agent hands to it."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Sequence
from typing import Protocol

from nova.objects.base import Value
from nova.objects.guest import GuestSpec
from nova.objects.host import HostInventory, ObservedGuest
from nova.objects.ids import ImageId, InstanceId
from nova.objects.states import Capability, Power


class Material(Value, frozen=True, kw_only=True):
    """Files on this host that a build needs, prepared and verified by the agent."""

    images: dict[ImageId, pathlib.Path] = {}
    """Base files of the image cache, read-only, format pinned by the agent (raw or qcow2 by ``formats``)."""
    formats: dict[ImageId, str] = {}
    config_drive: pathlib.Path | None = None
    """ISO 9660 file; the driver moves it beside the guest's disks."""


PowerListener = Callable[[InstanceId, Power], None]
"""Called by drivers that have lifecycle events, from any thread, with what the guest is now."""


class Hypervisor(Protocol):
    """The musts.  All methods may block; the agent calls them in worker threads.

    Every method is idempotent: the same call twice leaves the same world.  A guest that is not there raises
    ``errors.virt.GuestNotFound`` except where said otherwise.
    """

    name: str
    """``fake``, ``libvirt``, ..."""

    def start(self, on_power: PowerListener) -> None:
        """Connect; raise ``errors.virt.HypervisorUnavailable`` if that is impossible now (tried again)."""

    def stop(self) -> None:
        """Let go of the connection; guests go on running."""

    def capabilities(self) -> frozenset[Capability]:
        """Tell what this driver can do on this host, as found out by really looking."""

    def inventories(self) -> Sequence[HostInventory]:
        """Report what there is, one entry a node; ``host`` is filled in by the agent."""

    def guests(self) -> Sequence[ObservedGuest]:
        """Report every guest of ours on this host, running or not."""

    def power_state(self, instance_id: InstanceId) -> Power:
        """Report one guest's power state."""

    def spawn(self, spec: GuestSpec, material: Material) -> None:
        """Make disks and interfaces, define the guest and start it.  Leave nothing behind on failure."""

    def destroy(self, instance_id: InstanceId, reason: str) -> None:
        """Stop the guest at once and remove it with its disks and interfaces; nothing there is fine.

        ``reason`` traces back to a request or to the undo of a build; a driver writes it down (log, books).
        """

    def power_on(self, spec: GuestSpec) -> None:
        """Start a guest that is off; running already is fine."""

    def power_off(self, instance_id: InstanceId, timeout_s: int) -> None:
        """Ask the guest to shut down, force it after ``timeout_s`` (0: at once); off already is fine."""

    def reboot_hard(self, spec: GuestSpec) -> None:
        """Define the guest anew from ``spec`` and start it, whatever state it was in; disks are kept."""
