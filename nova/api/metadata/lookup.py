"""What a guest is told, remembered for a short while; one question at a time for each guest."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Protocol

from nova import ids
from nova.api.metadata.who import Asker
from nova.clock import Clock
from nova.context import RequestContext
from nova.errors.metadata import NoMetadata
from nova.objects.ids import InstanceId
from nova.objects.metadata import GuestMetadata

MOST_REMEMBERED = 5000
_UNKNOWN_S = 1.0
"""How long a stranger stays one: short, a guest may ask before its address is written down."""
_PATIENCE_S = 20.0


class Conductor(Protocol):
    """What the service asks (a part of the conductor's contract ``Networks``)."""

    def metadata_by_address(self, ctx: RequestContext, address: str) -> GuestMetadata | None: ...

    def metadata_by_id(self, ctx: RequestContext, instance: InstanceId) -> GuestMetadata | None: ...

    def put_guest_password(self, ctx: RequestContext, address: str, password: str) -> bool: ...


class _Entry:
    """One guest in the cache; ``lock`` is held by who asks the conductor for it."""

    __slots__ = ("found", "lock", "until")

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.until = 0.0
        self.found: GuestMetadata | None = None


class Lookup:
    """Guests by address or proved id."""

    def __init__(self, conductor: Conductor, clock: Clock, cache_s: float) -> None:
        self._conductor = conductor
        self._clock = clock
        self._cache_s = cache_s
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, _Entry] = OrderedDict()

    def find(self, asker: Asker) -> GuestMetadata:
        """Return what this guest is made of; :class:`NoMetadata` when nobody known asks.

        Raises what the conductor's client raises; nothing of an earlier owner of the address is told then.
        """
        entry = self._entry(asker.key)
        if self._clock.monotonic() >= entry.until:
            with entry.lock:
                # Others who asked meanwhile find the answer that the first one got.
                if self._clock.monotonic() >= entry.until:
                    entry.found = self._ask(asker)
                    age = min(self._cache_s, _UNKNOWN_S) if entry.found is None else self._cache_s
                    entry.until = self._clock.monotonic() + age
                found = entry.found
        else:
            found = entry.found
        if found is None or (asker.project is not None and asker.project != found.guest.project_id):
            raise NoMetadata()
        return found

    def put_password(self, asker: Asker, password: str) -> bool:
        """Keep a guest's password; false when it told one before."""
        md = self.find(asker)
        address = asker.address if asker.instance is None else None
        address = address or next((a for vif in md.guest.vifs for a in vif.addresses), None)
        if address is None:
            raise NoMetadata()
        kept = self._conductor.put_guest_password(_context(), address, password)
        self.forget(asker)
        return kept

    def forget(self, asker: Asker) -> None:
        """Ask anew the next time."""
        with self._lock:
            self._entries.pop(asker.key, None)

    def _entry(self, key: str) -> _Entry:
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                entry = self._entries[key] = _Entry()
                while len(self._entries) > MOST_REMEMBERED:
                    self._entries.popitem(last=False)
            else:
                self._entries.move_to_end(key)
            return entry

    def _ask(self, asker: Asker) -> GuestMetadata | None:
        if asker.instance is not None:
            return self._conductor.metadata_by_id(_context(), InstanceId(asker.instance))
        return self._conductor.metadata_by_address(_context(), asker.address or "")


def _context() -> RequestContext:
    return RequestContext(
        request_id=ids.new_request_id(), is_admin=True, roles=("admin",), timeout_s=_PATIENCE_S
    )
