"""The world of fake hosts: guests and everything they hold, with strict books.

One world may serve thousands of hosts of a process.  All methods are short and take one lock; what is handed
out is immutable.
"""

from __future__ import annotations

import collections
import threading
from collections.abc import Callable, Iterable

import msgspec

from nova.errors.virt import GuestNotFound, HostFull
from nova.objects.base import Value
from nova.objects.block_device import Destination
from nova.objects.guest import GuestSpec
from nova.objects.ids import HostName, InstanceId
from nova.objects.network import GuestFilter
from nova.objects.states import Power
from nova.virt.fake.books import Books, Destroyed, DoubleUse, HeldGuest, HeldVif
from nova.virt.fake.store import WorldStore

DESTROYED_KEPT = 10_000
VIOLATIONS_KEPT = 1_000


class Capacity(Value, frozen=True, kw_only=True):
    """What a host can hold, over-commit included."""

    vcpus: float
    ram_mb: float
    disk_gb: float


class World:
    """Guests of all fake hosts.  With a ``store`` they outlive the process."""

    def __init__(self, store: WorldStore | None = None) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._guests: dict[InstanceId, HeldGuest] = {}
        self._hosts: dict[HostName, dict[InstanceId, None]] = {}
        self._capacities: dict[HostName, Capacity] = {}
        self._used: dict[HostName, tuple[int, int, int]] = {}
        self._holders: dict[str, str] = {}
        self._filters: dict[InstanceId, GuestFilter] = {}
        self._violations: collections.deque[str] = collections.deque(maxlen=VIOLATIONS_KEPT)
        self._destroyed: collections.deque[Destroyed] = collections.deque(maxlen=DESTROYED_KEPT)

    def add_hosts(self, hosts: Iterable[HostName], capacity: Capacity) -> None:
        """Make hosts known and bring back their guests; hosts that are known stay as they are."""
        with self._lock:
            new = [h for h in hosts if h not in self._hosts]
            for host in new:
                self._hosts[host] = {}
                self._capacities[host] = capacity
            if self._store is not None and new:
                self._bring_back(self._store, new)

    def spawn(self, host: HostName, spec: GuestSpec) -> Power:
        """Make a guest with its disks and interfaces; the same guest on the same host again is fine."""
        with self._lock:
            known = self._guests.get(spec.id)
            if known is not None and known.host == host:
                wanted = Power.RUNNING if spec.power_on else known.power
                return self._set_power(known, wanted).power
            guest = _held(host, spec)
            self._check_room(guest)
            self._hold(guest)
            self._enter(guest)
            self._keep(guest)
            return guest.power

    def destroy(self, host: HostName, instance_id: InstanceId, reason: str) -> None:
        """Take a guest away with all that it holds; nothing there is fine."""
        with self._lock:
            if not reason:
                self._violate(f"guest {instance_id} of host {host} was to be destroyed without a reason")
            guest = self._guests.get(instance_id)
            if guest is None or guest.host != host:
                return
            if self._store is not None:
                self._store.remove(guest, reason)
            self._let_go(_things(guest))
            self._leave(guest)
            self._destroyed.append(Destroyed(id=instance_id, host=host, reason=reason))

    def guest(self, host: HostName, instance_id: InstanceId) -> HeldGuest:
        """Return a guest of a host; ``GuestNotFound`` when it is not there."""
        guest = self._guests.get(instance_id)
        if guest is None or guest.host != host:
            raise GuestNotFound(instance=instance_id)
        return guest

    def name_of(self, instance_id: str) -> str:
        """Return the name of a guest of any host; empty when nobody has it."""
        guest = self._guests.get(InstanceId(instance_id))
        return guest.name if guest else ""

    def guests(self, host: HostName) -> list[HeldGuest]:
        """Return every guest of a host."""
        with self._lock:
            return [self._guests[i] for i in self._hosts.get(host, ())]

    def change(
        self,
        host: HostName,
        instance_id: InstanceId,
        power: Callable[[HeldGuest], Power],
        *,
        boot: bool = False,
    ) -> tuple[Power, Power]:
        """Ask ``power`` what a guest shall be now (it may raise) and make it so; return old and new.

        ``boot`` counts a new start of the guest's operating system.
        """
        with self._lock:
            old = self.guest(host, instance_id)
            new = self._set_power(old, power(old), boot=boot)
            return old.power, new.power

    def filter(self, filters: Iterable[GuestFilter]) -> None:
        """Keep the rules of these guests; no interfaces means that there is nothing to guard any more."""
        with self._lock:
            for entry in filters:
                if entry.vifs:
                    self._filters[entry.instance_id] = entry
                else:
                    self._filters.pop(entry.instance_id, None)

    def filter_of(self, instance_id: InstanceId) -> GuestFilter | None:
        """Return the rules that were applied last to a guest."""
        return self._filters.get(instance_id)

    def books(self) -> Books:
        """Return everything that is held now."""
        with self._lock:
            return Books(
                guests=tuple(self._guests.values()),
                violations=tuple(self._violations),
                destroyed=tuple(self._destroyed),
            )

    def _set_power(self, guest: HeldGuest, power: Power, *, boot: bool = False) -> HeldGuest:
        started = boot or (power is Power.RUNNING and guest.power in _OFF)
        if power is guest.power and not started:
            return guest
        new = msgspec.structs.replace(guest, power=power, boots=guest.boots + started)
        self._guests[guest.id] = new
        self._keep(new)
        return new

    def _check_room(self, guest: HeldGuest) -> None:
        capacity = self._capacities[guest.host]
        after = _sum(self._used.get(guest.host, _NOTHING), guest, 1)
        for resource, used, limit in zip(_RESOURCES, after, _limits(capacity), strict=True):
            if used > limit:
                reason = f"{used} would be used of {limit:g}"
                self._violate(f"host {guest.host} was over-committed in {resource} by {guest.id}: {reason}")
                raise HostFull(host=guest.host, resource=resource, reason=reason)

    def _enter(self, guest: HeldGuest) -> None:
        self._guests[guest.id] = guest
        self._hosts[guest.host][guest.id] = None
        self._used[guest.host] = _sum(self._used.get(guest.host, _NOTHING), guest, 1)

    def _leave(self, guest: HeldGuest) -> None:
        del self._guests[guest.id]
        del self._hosts[guest.host][guest.id]
        self._used[guest.host] = _sum(self._used.get(guest.host, _NOTHING), guest, -1)
        self._filters.pop(guest.id, None)

    def _hold(self, guest: HeldGuest) -> None:
        owner, things = _owner(guest), _things(guest)
        conflict = next(((t, h) for t in things if (h := self._holders.get(t, owner)) != owner), None)
        if conflict is None and self._store is not None:
            conflict = self._store.claim(things, owner)
        if conflict is not None:
            thing, holder = conflict
            self._violate(f"{thing} is held by {holder} and was asked for by {owner}")
            raise DoubleUse(what=thing, holder=holder, asker=owner)
        self._holders |= dict.fromkeys(things, owner)

    def _let_go(self, things: list[str]) -> None:
        for thing in things:
            self._holders.pop(thing, None)
        if self._store is not None:
            self._store.release(things)

    def _keep(self, guest: HeldGuest) -> None:
        if self._store is None:
            return
        self._store.write(guest)
        residents = self._hosts[guest.host]
        if self._store.is_long(guest.host, len(residents)):
            self._store.rewrite(guest.host, [self._guests[i] for i in residents])

    def _violate(self, sentence: str) -> None:
        self._violations.append(sentence)
        if self._store is not None:
            self._store.violation(sentence)

    def _bring_back(self, store: WorldStore, hosts: list[HostName]) -> None:
        for host in hosts:
            for guest in store.load(host):
                self._enter(guest)
                self._hold(guest)
        self._destroyed.extend(store.destroyed(frozenset(hosts), DESTROYED_KEPT))
        self._violations.extend(v for v in store.violations() if v not in self._violations)
        # a kill between taking hold and writing the guest down leaves claims of nobody
        store.release([t for t in store.claims_of(frozenset(hosts)) if t not in self._holders])


_OFF = (Power.SHUTDOWN, Power.CRASHED, Power.NOSTATE)
_RESOURCES = ("vcpus", "ram_mb", "disk_gb")
_NOTHING = (0, 0, 0)


def _limits(capacity: Capacity) -> tuple[float, float, float]:
    return capacity.vcpus, capacity.ram_mb, capacity.disk_gb


def _sum(used: tuple[int, int, int], guest: HeldGuest, sign: int) -> tuple[int, int, int]:
    vcpus, ram_mb, disk_gb = used
    return vcpus + sign * guest.vcpus, ram_mb + sign * guest.ram_mb, disk_gb + sign * guest.disk_gb


def _held(host: HostName, spec: GuestSpec) -> HeldGuest:
    flavor = spec.flavor
    return HeldGuest(
        id=spec.id,
        host=host,
        name=spec.name,
        power=Power.RUNNING if spec.power_on else Power.SHUTDOWN,
        vcpus=flavor.vcpus,
        ram_mb=flavor.ram_mb,
        disk_gb=flavor.disk_gb,
        disks=tuple(
            f"volume:{d.volume_id}" if d.destination is Destination.VOLUME else d.id
            for d in spec.block_devices
        ),
        vifs=tuple(
            HeldVif(id=v.id, mac=v.mac, network_id=v.network_id, addresses=v.addresses) for v in spec.vifs
        ),
        boots=1 if spec.power_on else 0,
    )


def _owner(guest: HeldGuest) -> str:
    return f"{guest.id}@{guest.host}"


def _things(guest: HeldGuest) -> list[str]:
    """Return the names of all that a guest holds, good as file names."""
    things = [f"guest-{guest.id}"]
    things += [f"disk-{disk.replace('/', '_')}" for disk in guest.disks]
    for vif in guest.vifs:
        things += (f"vif-{vif.id}", f"mac-{vif.mac}")
        things += [f"address-{vif.network_id}-{address}" for address in vif.addresses]
    return things
