"""Hypervisors: what they have and what is claimed of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from nova.conductor.services import pages
from nova.conductor.services.services import COMPUTE, judged, zones_of_hosts
from nova.db import hosts, instances, services
from nova.db.engine import Tx
from nova.errors.admin import HypervisorNotFound
from nova.objects.host import Hypervisor
from nova.objects.ids import HostName, InstanceId
from nova.objects.page import Page

if TYPE_CHECKING:
    from nova.conductor.world import World


def _is(hypervisor: Hypervisor, name: str) -> bool:
    return name in {hypervisor.id, str(hypervisor.number)}


def list_hypervisors(world: World, page: Page, pattern: str | None, with_service: bool) -> list[Hypervisor]:
    """Return a page of the hypervisors (whose node's name has ``pattern`` in it), by number."""

    def work(tx: Tx) -> list[Hypervisor]:
        found = [h for h in hosts.hypervisors(tx) if pattern is None or pattern in h.inventory.node]
        part = pages.after(found, page, _is)
        return _with_services(world, tx, part) if with_service else part

    return world.db.read(work)


def show(world: World, hypervisor: str) -> Hypervisor:
    """Return a hypervisor by uuid or number, with its service; raises ``HypervisorNotFound``."""

    def work(tx: Tx) -> Hypervisor:
        for found in hosts.hypervisors(tx):
            if _is(found, hypervisor):
                return _with_services(world, tx, [found])[0]
        raise HypervisorNotFound(id=hypervisor)

    return world.db.read(work)


def _with_services(world: World, tx: Tx, found: Sequence[Hypervisor]) -> list[Hypervisor]:
    names = sorted({h.inventory.host for h in found})
    computes = [s for s in services.of_hosts(tx, names) if s.binary == COMPUTE]
    by_host = {s.host: s for s in judged(world, computes, zones_of_hosts(tx))}
    return [msgspec.structs.replace(h, service=by_host.get(h.inventory.host)) for h in found]


def instances_by_hypervisor(world: World, wanted: Sequence[str]) -> dict[str, list[tuple[InstanceId, str]]]:
    """Return id and name of the instances on each of these nodes; unknown nodes are left out.

    The name is the one that the hypervisor knows the guest by: its uuid.
    """
    names = set(wanted)

    def work(tx: Tx) -> dict[str, list[tuple[InstanceId, str]]]:
        nodes = [h.inventory for h in hosts.hypervisors(tx) if h.inventory.node in names]
        result: dict[str, list[tuple[InstanceId, str]]] = {inventory.node: [] for inventory in nodes}
        on: dict[HostName, list[str]] = {}
        for inventory in nodes:
            on.setdefault(inventory.host, []).append(inventory.node)
        for instance, _, host, node in instances.names_on(tx, sorted(on)):
            at = node or (on[host][0] if len(on[host]) == 1 else "")
            if at in on[host]:
                result[at].append((instance, instance))
        return result

    return world.db.read(work)
