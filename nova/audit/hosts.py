"""What hosts say they hold, compared with what they should."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import msgspec

from nova import ids
from nova.context import RequestContext, system_context
from nova.db import audit_history, fixed_ips, instances, jobs, networks, services
from nova.db.engine import Database, Tx
from nova.db.findings import Finding
from nova.errors import NovaError
from nova.lifecycle.power import Remedy, remedy
from nova.objects.block_device import Destination
from nova.objects.holdings import GuestHoldings, HeldGuest, NetworkHoldings
from nova.objects.host import Service
from nova.objects.ids import HostName, InstanceId
from nova.objects.instance import Instance
from nova.objects.states import Vm
from nova.rpc.client import MESSAGE_QUEUE, Client
from nova.rpc.contracts.compute import Compute
from nova.rpc.contracts.network import NetworkHost

_AT_ONCE = 64
_HAVE_GUESTS = frozenset({Vm.ACTIVE, Vm.PAUSED, Vm.SUSPENDED, Vm.STOPPED})

_NO_BROKER = Finding(
    rule="broker-silent",
    subject="",
    sentence="The message broker named by [DEFAULT] transport_url does not answer, so hosts were not asked.",
)

H = TypeVar("H")


class Agents:
    """Asks every compute and network host of a cloud, several at a time."""

    def __init__(
        self, compute: Client[Compute], network: Client[NetworkHost], *, patience_s: float = 10.0
    ) -> None:
        self._compute = compute
        self._network = network
        self._patience_s = patience_s

    def findings(self, db: Database) -> list[Finding]:
        """Ask all hosts and return what does not agree; one that does not answer is a finding."""
        known = db.read(services.all_services)
        found: list[Finding] = []
        computes, servers = hosts_of(known, "nova-compute"), hosts_of(known, "nova-network")
        guests = self._ask(computes, lambda host, ctx: self._compute.host(host).holdings(ctx))
        nets = self._ask(servers, lambda host, ctx: self._network.host(host).holdings(ctx))
        for told in guests:
            if isinstance(told, Finding):
                found.append(told)
                continue
            found += db.read(lambda tx, told=told: list(of_guests(tx, told)))  # type: ignore[misc]
        for served in nets:
            if isinstance(served, Finding):
                found.append(served)
                continue
            found += db.read(lambda tx, served=served: list(of_networks(tx, served)))  # type: ignore[misc]
        found += twice([told for told in guests if isinstance(told, GuestHoldings)])
        return list(dict.fromkeys(found))

    def _ask(
        self, hosts: Sequence[HostName], question: Callable[[HostName, RequestContext], H]
    ) -> list[H | Finding]:
        def one(host: HostName) -> H | Finding:
            ctx = msgspec.structs.replace(system_context(ids.new_request_id()), timeout_s=self._patience_s)
            try:
                return question(host, ctx)
            except NovaError as error:
                if error.facts.get("part") == MESSAGE_QUEUE:
                    return _NO_BROKER
                words = f"Host {host} does not tell what it holds: {error.sentence()}"
                return Finding(rule="host-silent", subject=host, sentence=words)

        if not hosts:
            return []
        if (first := one(hosts[0])) == _NO_BROKER:
            return [first]  # every other would take as long to hear the same
        hosts = hosts[1:]
        if not hosts:
            return [first]
        with concurrent.futures.ThreadPoolExecutor(min(_AT_ONCE, len(hosts))) as pool:
            return [first, *pool.map(one, hosts)]


def hosts_of(known: Sequence[Service], binary: str) -> list[HostName]:
    """Return the hosts on which a daemon should answer."""
    return [s.host for s in known if s.binary == binary and not s.forced_down]


def of_guests(tx: Tx, told: GuestHoldings) -> Iterator[Finding]:
    """Compare a compute host with the truth."""
    here = {i.id: i for i in instances.of_host(tx, told.host)}
    owed = {InstanceId(job.instance_id) for job in jobs.open_for_hosts(tx, [told.host], "compute")}
    moving = owed | set(told.at_work) | {i.id for i in here.values() if i.task_state is not None}
    held = {guest.instance_id: guest for guest in told.guests}
    for instance_id in sorted(held.keys() - here.keys() - moving):
        words = f"Host {told.host} has a guest of instance {instance_id}, which is not on this host."
        yield Finding(rule="guest-of-none", subject=instance_id, sentence=words)
    for instance_id, instance in sorted(here.items()):
        if instance_id in moving:
            continue
        guest = held.get(instance_id)
        if guest is not None:
            yield from _differences(told.host, instance, guest)
        elif instance.vm_state in _HAVE_GUESTS:
            words = f"Instance {instance_id} is {instance.vm_state}, but host {told.host} has no guest of it."
            yield Finding(rule="guest-missing", subject=instance_id, sentence=words)
    for stray in told.strays:
        words = f"Host {told.host}: {stray.sentence}"
        yield Finding(rule=f"stray-{stray.what}", subject=stray.name, sentence=words)
    for violation in told.violations:
        yield Finding(rule="violation", subject="", sentence=violation)
    yield from audit_history.untraceable(tx, told.destroyed)


def _differences(host: HostName, instance: Instance, guest: HeldGuest) -> Iterator[Finding]:
    if remedy(instance.vm_state, instance.power_state, guest.power) is not Remedy.NOTHING:
        told = f"is {instance.vm_state} with power state {instance.power_state.name}"
        words = f"Instance {instance.id} {told}, but its guest on {host} is {guest.power.name}."
        yield Finding(rule="power", subject=instance.id, sentence=words)
    wanted: dict[str, set[str]] = {
        "disks": {
            f"volume:{d.volume_id}" if d.destination is Destination.VOLUME else d.id
            for d in instance.block_devices
            if d.device_type != "cdrom"
        },
        "ports": {str(vif.id) for vif in instance.vifs},
        "addresses": {address for vif in instance.vifs for address in vif.addresses},
    }
    real: dict[str, set[str]] = {
        "disks": set(guest.disks),
        "ports": {str(vif) for vif in guest.vifs},
        "addresses": set(guest.addresses),
    }
    for what, should in wanted.items():
        has = real[what]
        if has != should:
            told = f"should have the {what} {_words(should)}, but has {_words(has)}"
            words = f"The guest of instance {instance.id} on {host} {told}."
            yield Finding(rule=what, subject=instance.id, sentence=words)


def _words(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def twice(told: Sequence[GuestHoldings]) -> Iterator[Finding]:
    """Name guests that several hosts have."""
    seen: dict[InstanceId, HostName] = {}
    for holdings in told:
        for guest in holdings.guests:
            first = seen.setdefault(guest.instance_id, holdings.host)
            if first != holdings.host:
                words = f"Instance {guest.instance_id} has a guest on {first} and one on {holdings.host}."
                yield Finding(rule="guest-twice", subject=guest.instance_id, sentence=words)


def of_networks(tx: Tx, told: NetworkHoldings) -> Iterator[Finding]:
    """Compare the DHCP entries of a network host with the addresses that are held."""
    for stray in told.strays:
        words = f"Host {told.host}: {stray.sentence}"
        yield Finding(rule=f"stray-{stray.what}", subject=stray.name, sentence=words)
    if told.at_work:
        return
    own = {n.id: n for n in networks.served_by(tx, told.host) if n.multi_host or n.host == told.host}
    served = {entry.network_id for entry in told.entries} & own.keys()
    held = {
        (ip.network_id, (ip.mac or "").lower(), ip.address)
        for ip in fixed_ips.of_networks(tx, sorted(served))
        if ip.instance_id and (not own[ip.network_id].multi_host or ip.host == told.host)
    }
    given = {(e.network_id, e.mac.lower(), e.address) for e in told.entries}
    # An address that nobody holds any more may be given until the host heals itself; another's never.
    taken = {(network_id, address) for network_id, _, address in held}
    for network_id, mac, address in sorted(g for g in given - held if (g[0], g[2]) in taken):
        words = f"Host {told.host} gives {address} of network {network_id} to {mac}, which does not hold it."
        yield Finding(rule="dhcp", subject=address, sentence=words)
    for network_id, mac, address in sorted(h for h in held - given if ":" not in h[2]):
        words = f"Host {told.host} does not give {address} of network {network_id} to {mac}, which holds it."
        yield Finding(rule="dhcp", subject=address, sentence=words)
