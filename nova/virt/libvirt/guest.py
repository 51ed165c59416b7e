"""One domain through its life.  Only domains that carry our metadata are ever touched."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import libvirt

from nova.clock import Clock
from nova.errors.virt import ActionFailed, GuestNotFound
from nova.objects.ids import InstanceId
from nova.objects.states import Power
from nova.virt.libvirt.connection import Connection
from nova.virt.libvirt.plan import domain_name
from nova.virt.libvirt.power import power_of
from nova.virt.libvirt.xml import NOVA_NAMESPACE

LOG = logging.getLogger(__name__)
T = TypeVar("T")

_UNDEFINE = (
    libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
    | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
    | libvirt.VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA
    | libvirt.VIR_DOMAIN_UNDEFINE_NVRAM
)
_REASONS = {
    libvirt.VIR_ERR_OPERATION_INVALID: "the guest is not in a state in which this can be done",
    libvirt.VIR_ERR_OPERATION_TIMEOUT: "the guest is busy or does not react",
    libvirt.VIR_ERR_AGENT_UNRESPONSIVE: "the guest's agent does not answer",
    libvirt.VIR_ERR_NO_NETWORK: "a network of the host is missing",
    libvirt.VIR_ERR_CONFIG_UNSUPPORTED: "the hypervisor does not know a device that was asked for",
    libvirt.VIR_ERR_RESOURCE_BUSY: "a resource of the host is in use",
}
_DESTROY_TRIES = 3
_ASK_AGAIN_S = 10.0
_LOOK_S = 0.25


class Guest:
    """The domain of one instance, there or not."""

    def __init__(self, connection: Connection, instance_id: InstanceId, host: str, clock: Clock) -> None:
        self.instance_id = instance_id
        self._connection = connection
        self._host = host
        self._clock = clock

    def exists(self) -> bool:
        """Tell whether the domain is defined."""
        try:
            self.power()
        except GuestNotFound:
            return False
        return True

    def power(self) -> Power:
        """Return the power state.  Raises ``GuestNotFound``."""
        return self.do("look", read_power)

    def xml(self) -> str:
        """Return the definition in force now."""
        return self.do("describe", lambda domain: str(domain.XMLDesc(0)))

    def define(self, xml: str) -> None:
        """Define the domain, or define it anew."""
        with self._translated("define"):
            self._connection.call(lambda virt: virt.defineXML(xml) and None)

    def start(self, timeout: float) -> None:
        """Start the domain, from its saved memory if there is some; running already is fine."""
        self._idempotent("start", lambda domain: domain.create(), timeout, {Power.RUNNING, Power.PAUSED})

    def pause(self) -> None:
        self._idempotent("pause", lambda domain: domain.suspend(), None, {Power.PAUSED})

    def unpause(self) -> None:
        self._idempotent("unpause", lambda domain: domain.resume(), None, {Power.RUNNING})

    def save(self, timeout: float) -> None:
        """Write the guest's memory to disk and end its process."""
        self._idempotent("suspend", lambda domain: domain.managedSave(0), timeout, {Power.SUSPENDED})

    def forget_saved(self) -> None:
        """Drop a saved memory: the next start is a boot."""
        self.do("discard", lambda domain: domain.hasManagedSaveImage(0) and domain.managedSaveRemove(0))

    def press_power_button(self) -> None:
        """Ask the guest to shut down."""
        self.do("shut down", lambda domain: domain.shutdownFlags(libvirt.VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN))

    def kill(self, timeout: float) -> None:
        """End the guest's process at once; none is fine."""
        for left in reversed(range(_DESTROY_TRIES)):
            try:
                self._idempotent(
                    "stop",
                    lambda domain: domain.destroy(),
                    timeout,
                    {Power.SHUTDOWN, Power.SUSPENDED, Power.CRASHED},
                )
                return
            except ActionFailed as error:
                # A process that hangs in the kernel (dead storage) may need a while to end.
                if not left or not isinstance(error.__cause__, libvirt.libvirtError):
                    raise
                self._clock.sleep(1.0)

    def undefine(self) -> None:
        """Remove the definition with all that libvirt keeps for it."""
        self.do("undefine", lambda domain: domain.undefineFlags(_UNDEFINE))

    def wait_until_off(self, seconds: float, *, ask: bool) -> bool:
        """Wait for the guest to end, asking it again from time to time; False if it did not."""
        end = self._clock.monotonic() + seconds
        next_ask = self._clock.monotonic()
        while True:
            if self.power() in (Power.SHUTDOWN, Power.CRASHED, Power.SUSPENDED):
                return True
            now = self._clock.monotonic()
            if now >= end:
                return False
            if ask and now >= next_ask:
                # A guest that is still booting misses the first one.
                with contextlib.suppress(ActionFailed):
                    self.press_power_button()
                next_ask = now + _ASK_AGAIN_S
            self._clock.sleep(min(_LOOK_S, end - now))

    def do(self, action: str, work: Callable[[Any], T], timeout: float | None = None) -> T:
        """Run ``work`` with the domain object in a native thread.

        Raises ``GuestNotFound``, ``ActionFailed`` (its text is for users; the log has the daemon's words).
        """

        def run(virt: Any) -> T:
            domain = virt.lookupByUUIDString(self.instance_id)
            if not is_ours(domain):
                raise _ForeignDomain
            return work(domain)

        with self._translated(action):
            return self._connection.call(run, timeout)

    def _idempotent(
        self, action: str, work: Callable[[Any], object], timeout: float | None, good: set[Power]
    ) -> None:
        def run(domain: Any) -> None:
            try:
                work(domain)
            except libvirt.libvirtError:
                # It came to that by itself, or by an earlier try.
                if read_power(domain) not in good:
                    raise

        self.do(action, run, timeout)

    @contextmanager
    def _translated(self, action: str) -> Iterator[None]:
        try:
            yield
        except _ForeignDomain:
            LOG.error("Domain %s exists but is not ours; it is left alone", self.instance_id)
            raise ActionFailed(
                action=action, host=self._host, reason="a foreign domain has the same id"
            ) from None
        except libvirt.libvirtError as error:
            code = error.get_error_code()
            if code == libvirt.VIR_ERR_NO_DOMAIN:
                raise GuestNotFound(instance=self.instance_id) from None
            LOG.warning("Instance %s: %s failed: %s", self.instance_id, action, error)
            reason = _REASONS.get(code, f"libvirt error {code}, see the log of the host")
            raise ActionFailed(action=action, host=self._host, reason=reason) from error


class _ForeignDomain(Exception):
    pass


def is_ours(domain: Any) -> bool:
    """Tell whether we made a domain: by its name and its metadata."""
    if domain.name() != domain_name(domain.UUIDString()):
        return False
    try:
        domain.metadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, NOVA_NAMESPACE, 0)
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN_METADATA:
            return False
        raise
    return True


def read_power(domain: Any) -> Power:
    """Return a domain's power state (in a native thread)."""
    state, reason = domain.state(0)
    off = state == libvirt.VIR_DOMAIN_SHUTOFF
    return power_of(state, reason, saved=bool(off and domain.hasManagedSaveImage(0)))
