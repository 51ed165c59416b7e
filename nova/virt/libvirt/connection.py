"""The connection to the libvirt daemon: opened anew when it is lost, never waited for without end."""

from __future__ import annotations

import collections
import contextlib
import functools
import logging
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import libvirt

from nova import concurrency
from nova.clock import Clock
from nova.errors.virt import HypervisorUnavailable
from nova.virt.libvirt.calls import Calls, CallTimedOut, TooManyStuck
from nova.virt.libvirt.events import Mailbox, News, run_event_loop

LOG = logging.getLogger(__name__)
T = TypeVar("T")

_KEEPALIVE_S, _KEEPALIVE_COUNT = 5, 5
_OPEN_S = 20.0
_MAX_IDLE = 6
_COMES_BACK_S, _LOOK_S = 10.0, 0.5
"""A daemon that restarts is waited for: this long from when it was missed, looked for this often."""
_LOST = frozenset(
    {libvirt.VIR_ERR_SYSTEM_ERROR, libvirt.VIR_ERR_INTERNAL_ERROR, libvirt.VIR_ERR_INVALID_CONN}
)
_REMOTE = frozenset({libvirt.VIR_FROM_REMOTE, libvirt.VIR_FROM_RPC})


class Connection:
    """One daemon.  May be used from any thread.

    A connection of the library is shared by no two calls at once: its older versions (before 10.1) can lose
    the wake-up of a second call while a first one waits, so one guest that hangs would hang the others.
    Calls take one from a small pool; news of guests come over one that is used for nothing else.
    """

    def __init__(self, uri: str, host: str, mailbox: Mailbox, *, call_timeout: float, clock: Clock) -> None:
        self._uri = uri
        self._clock = clock
        self._missed_since: float | None = None
        self._host = host
        self._mailbox = mailbox
        self._call_timeout = call_timeout
        self._calls = Calls()
        self._opening = threading.Lock()
        self._listening: Any = None
        self._idle: collections.deque[Any] = collections.deque()
        self._wanted = False
        self.generation = 0
        """Grows with every opening: what was true before may not be so any more."""

    def open(self) -> None:
        """Listen to the daemon's news, if that is not so already.  Raises ``HypervisorUnavailable``."""
        self._wanted = True
        with self._opening:
            if not _is_alive(self._listening):
                self._drop()
                run_event_loop(libvirt)
                libvirt.registerErrorHandler(_quiet, None)
                try:
                    self._listening = self._within(_OPEN_S, self._listen)
                except libvirt.libvirtError as error:
                    LOG.warning("libvirt at %s cannot be reached: %s", self._uri, error)
                    raise self._unavailable("libvirt cannot be reached") from None
                self.generation += 1
                LOG.info("Connected to libvirt at %s", self._uri)

    def close(self) -> None:
        """Let go; guests go on running."""
        self._wanted = False
        with self._opening:
            self._drop()

    def call(self, action: Callable[[Any], T], timeout: float | None = None) -> T:
        """Run ``action`` with one of the library's connection objects in a native thread.

        Raises ``libvirt.libvirtError`` for what the daemon refuses, ``HypervisorUnavailable`` when it is
        gone, and does not come back soon, or silent for ``timeout`` seconds.  What hangs keeps its connection
        for itself.
        """
        while True:
            if not self._wanted:
                raise self._unavailable("the driver is not started")
            try:
                done = self._call(action, timeout or self._call_timeout)
            except _Unreachable:
                self._mailbox.put(News(kind="closed"))
                if self._stays_away():
                    raise self._unavailable("libvirt cannot be reached") from None
                self._clock.sleep(_LOOK_S)
                continue
            self._missed_since = None
            return done

    def _stays_away(self) -> bool:
        now = self._clock.monotonic()
        if self._missed_since is None:
            self._missed_since = now
        return now - self._missed_since >= _COMES_BACK_S

    def _call(self, action: Callable[[Any], T], timeout: float) -> T:
        borrowed: list[Any] = []
        try:
            return self._within(timeout, lambda: action(self._borrow(borrowed)))
        except libvirt.libvirtError as error:
            if _is_lost(error) or not all(_is_alive(virt) for virt in borrowed):
                borrowed.clear()
                self._mailbox.put(News(kind="closed"))
                raise self._unavailable("the connection to libvirt was lost") from error
            raise
        except HypervisorUnavailable:
            borrowed.clear()
            raise
        finally:
            self._give_back(borrowed)

    def _borrow(self, borrowed: list[Any]) -> Any:
        """Take a living connection or open one (in a native thread)."""
        while self._idle:
            try:
                virt = self._idle.popleft()
            except IndexError:
                break
            if _is_alive(virt):
                borrowed.append(virt)
                return virt
        try:
            virt = libvirt.open(self._uri)
        except libvirt.libvirtError as error:
            raise _Unreachable from error
        borrowed.append(virt)
        return virt

    def _give_back(self, borrowed: list[Any]) -> None:
        for virt in borrowed:
            if self._wanted and len(self._idle) < _MAX_IDLE:
                self._idle.append(virt)
            else:
                concurrency.start_native_thread(functools.partial(_close, virt), name="libvirt-close")

    def _within(self, seconds: float, call: Callable[[], T]) -> T:
        try:
            return self._calls.within(seconds, call)
        except CallTimedOut:
            raise self._unavailable(f"libvirt did not answer within {seconds:.0f} seconds") from None
        except TooManyStuck:
            raise self._unavailable("too many calls to libvirt hang") from None

    def _listen(self) -> Any:
        """Open and ask for news; runs in a native thread, so it must not log or lock."""
        virt = libvirt.open(self._uri)
        with contextlib.suppress(libvirt.libvirtError):  # drivers without a daemon have no keepalive
            virt.setKeepAlive(_KEEPALIVE_S, _KEEPALIVE_COUNT)
        with contextlib.suppress(libvirt.libvirtError):
            virt.registerCloseCallback(self._closed, None)
        virt.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, self._lifecycle, None)
        return virt

    def _drop(self) -> None:
        dropped = [self._listening, *self._idle]
        self._listening = None
        self._idle.clear()
        for virt in dropped:
            if virt is not None:
                concurrency.start_native_thread(functools.partial(_close, virt), name="libvirt-close")

    def _lifecycle(self, _virt: Any, domain: Any, event: int, detail: int, _opaque: object) -> None:
        self._mailbox.put(News(domain=domain.UUIDString(), event=event, detail=detail))

    def _closed(self, _virt: Any, _reason: int, _opaque: object) -> None:
        self._mailbox.put(News(kind="closed"))

    def _unavailable(self, reason: str) -> HypervisorUnavailable:
        return HypervisorUnavailable(part=f"libvirt on {self._host}", host=self._host, reason=reason)


class _Unreachable(Exception):
    pass


def _is_alive(virt: Any) -> bool:
    try:
        return virt is not None and bool(virt.isAlive())
    except libvirt.libvirtError:
        return False


def _is_lost(error: libvirt.libvirtError) -> bool:
    return error.get_error_code() in _LOST and error.get_error_domain() in _REMOTE


def _close(virt: Any) -> None:
    with contextlib.suppress(libvirt.libvirtError):
        virt.unregisterCloseCallback()
    with contextlib.suppress(libvirt.libvirtError):
        virt.close()


def _quiet(_context: object, _error: object) -> None:
    """Keep the library from writing errors to the process's standard error; they are raised anyway."""
