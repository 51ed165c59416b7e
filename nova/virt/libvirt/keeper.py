"""The driver's one thread of its own: hands on the news, brings the connection back, keeps logs short."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import libvirt

from nova.clock import Clock
from nova.errors import NovaError
from nova.errors.virt import GuestNotFound, HypervisorUnavailable
from nova.objects.host import ObservedGuest
from nova.objects.ids import InstanceId
from nova.objects.states import Power
from nova.virt.base import PowerListener
from nova.virt.libvirt.connection import Connection
from nova.virt.libvirt.console import trim_log
from nova.virt.libvirt.events import Mailbox, News
from nova.virt.libvirt.store import Store

LOG = logging.getLogger(__name__)

_LOGS_S = 15.0
_RETRY_S, _RETRY_MOST_S = 0.5, 10.0
# Followed by another event that says where it leads to, or no change at all.
_WITHOUT_END = frozenset(
    {
        libvirt.VIR_DOMAIN_EVENT_DEFINED,
        libvirt.VIR_DOMAIN_EVENT_UNDEFINED,
        libvirt.VIR_DOMAIN_EVENT_SHUTDOWN,
    }
)


class Keeper:
    """Runs from ``start`` to ``stop`` of the driver."""

    def __init__(
        self,
        connection: Connection,
        mailbox: Mailbox,
        store: Store,
        *,
        console_log_bytes: int,
        clock: Clock,
    ) -> None:
        self._connection = connection
        self._mailbox = mailbox
        self._store = store
        self._log_bytes = console_log_bytes
        self._clock = clock
        self._busy: Counter[InstanceId] = Counter()
        self._thread: threading.Thread | None = None
        self._unread: dict[str, None] = {}
        """Guests with news whose state could not be read yet."""
        self._stopping = False
        self._on_power: PowerListener | None = None
        self._look: Callable[[InstanceId], Power]
        self._look_all: Callable[[], Sequence[ObservedGuest]]

    def start(
        self,
        on_power: PowerListener,
        look: Callable[[InstanceId], Power],
        look_all: Callable[[], Sequence[ObservedGuest]],
    ) -> None:
        """Begin; a second call changes the listener only."""
        self._on_power, self._look, self._look_all = on_power, look, look_all
        if self._thread is None or not self._thread.is_alive():
            self._stopping = False
            self._thread = threading.Thread(target=self._run, name="libvirt-keeper", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End and wait for the end."""
        self._stopping = True
        self._on_power = None
        self._mailbox.wake()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(10)
        self._thread = None

    @contextmanager
    def quiet(self, instance_id: InstanceId, *, report: bool = True) -> Iterator[None]:
        """Hold back a guest's news during an action of ours; tell the state it ends in once.

        The stop and start inside a reboot are nobody's news.
        """
        self._busy[instance_id] += 1
        try:
            yield
        finally:
            self._busy[instance_id] -= 1
            if not self._busy[instance_id]:
                del self._busy[instance_id]
                if report:
                    self._mailbox.put(News(domain=instance_id, event=-1))

    def _run(self) -> None:
        generation = self._connection.generation
        retry, logs_at = _RETRY_S, self._clock.monotonic() + _LOGS_S
        while not self._stopping:
            try:
                self._hand_on(self._mailbox.take(retry if retry > _RETRY_S else _LOGS_S / 3))
                if self._stopping:
                    return
                self._connection.open()
                retry = _RETRY_S
                if self._connection.generation != generation:
                    # What happened while nobody listened.
                    generation = self._connection.generation
                    self._report_all()
                if self._clock.monotonic() >= logs_at:
                    logs_at = self._clock.monotonic() + _LOGS_S
                    self._trim_logs()
            except HypervisorUnavailable as error:
                LOG.warning("%s", error)
                retry = min(retry * 2, _RETRY_MOST_S)
            except Exception:  # the one thread that brings news must live on
                LOG.exception("The libvirt driver's own thread stumbled")

    def _hand_on(self, news: Sequence[News]) -> None:
        """Tell what each named guest is *now*: late or doubled news cannot mislead anybody."""
        named = {n.domain: None for n in news if n.domain is not None and n.event not in _WITHOUT_END}
        waiting, self._unread = self._unread, {}
        for domain in waiting | named:
            instance_id = InstanceId(domain)
            if instance_id in self._busy:
                continue
            try:
                self._tell(instance_id, self._look(instance_id))
            except GuestNotFound:
                continue
            except NovaError as error:
                LOG.warning("Instance %s: its state cannot be read: %s", instance_id, error)
                self._unread[domain] = None

    def _report_all(self) -> None:
        for guest in self._look_all():
            if guest.instance_id not in self._busy:
                self._tell(guest.instance_id, guest.power)

    def _tell(self, instance_id: InstanceId, power: Power) -> None:
        if self._on_power is not None:
            self._on_power(instance_id, power)

    def _trim_logs(self) -> None:
        for instance_id in self._store.instances():
            with contextlib.suppress(OSError):
                if trim_log(self._store.directory(instance_id), self._log_bytes):
                    LOG.debug("Instance %s: console log cut", instance_id)
