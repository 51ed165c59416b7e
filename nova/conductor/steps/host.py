"""Orders to the agents, and what their reports mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nova.conductor.engine.step import COMPUTE, NETWORK, Ordered, Run
from nova.conductor.steps.guest import guest_specs
from nova.db import networks
from nova.errors import NovaError, revive
from nova.errors.servers import BuildGaveUp, WorkflowSuperseded
from nova.lifecycle.actions import ACTIONS
from nova.objects import jobs as orders
from nova.objects.ids import HostName, NetworkId
from nova.objects.instance import Instance
from nova.objects.jobs import JobOutcome, Verdict
from nova.objects.network import Topology

if TYPE_CHECKING:
    from nova.conductor.world import World
    from nova.db.engine import Tx

UNCLEAR = "unclear"
"""Detail of an outcome: nobody knows whether the host did what it was told."""
CLEAN = "clean"
"""Note on a run: the host told that it built nothing."""
TROUBLE = "trouble"
"""Note on a run: why the host tried last could not build the guest, without the host's name."""
KEEP = "keep"
"""Note on a run: the guest may still be on its host, so its place is given to nobody."""


def outcome_error(outcome: JobOutcome) -> NovaError | None:
    """Return the error of an outcome, or None if it went well."""
    if outcome.verdict is Verdict.DONE:
        return None
    if outcome.verdict is Verdict.REFUSED:
        return WorkflowSuperseded(id=outcome.instance_id, action="a later request")
    if outcome.error is None:
        return NovaError()
    name, facts = outcome.error
    return revive(name, facts)


def serve_networks(world: World, tx: Tx, runs: Sequence[Run]) -> None:
    """Have the networks of these instances know their new addresses before the guests ask for them."""
    wanted = {NetworkId(vif.network_id) for run in runs for vif in run.known.vifs if _is_served(vif.topology)}
    if not wanted:
        return
    nets = networks.get_many(tx, wanted)
    for run in runs:
        by_host: dict[HostName, list[NetworkId]] = {}
        for vif in run.known.vifs:
            network = nets.get(vif.network_id)
            if network is None or not network.enable_dhcp or not _is_served(network.topology):
                continue
            server = run.known.host if network.multi_host else network.host
            if server is not None:
                by_host.setdefault(server, []).append(network.id)
        for host, network_ids in by_host.items():
            run.orders.append(
                Ordered(
                    topic=NETWORK,
                    host=host,
                    order=orders.ServeNetworks(networks=tuple(network_ids)),
                    fence=run.known.revision,
                    event="network_serve",
                    deadline_s=120.0,
                )
            )
    del world


def _is_served(topology: Topology) -> bool:
    return topology not in (Topology.NONE, Topology.FLAT)


def networks_served(world: World, tx: Tx, runs: Sequence[Run]) -> None:
    """A network that could not be made fails the run."""
    del world, tx
    for run in runs:
        for outcome in run.outcomes:
            error = outcome_error(outcome)
            if error is not None:
                run.fail(error)


def build(world: World, tx: Tx, runs: Sequence[Run]) -> None:
    """Order the guests to be built."""
    specs = guest_specs(tx, [run.known for run in runs])
    action = ACTIONS["create"]
    del world
    for run in runs:
        instance = run.known
        if instance.host is None:
            run.fail(WorkflowSuperseded(id=instance.id, action="a later request"))
            continue
        run.notes["host"] = instance.host
        run.orders.append(
            Ordered(
                topic=COMPUTE,
                host=instance.host,
                order=orders.Build(guest=specs[instance.id]),
                fence=instance.revision,
                event=action.event,
                deadline_s=action.deadline_s,
            )
        )


def built(world: World, tx: Tx, runs: Sequence[Run]) -> None:
    """Take the report of a build: on, or back with this host excluded."""
    del world, tx
    for run in runs:
        for outcome in run.outcomes:
            error = outcome_error(outcome)
            if error is None:
                run.notes["power"] = int(outcome.power) if outcome.power is not None else 1
                continue
            run.notes[CLEAN] = not outcome.details.get(UNCLEAR)
            excluded = run.notes.setdefault("excluded", [])
            excluded.append(outcome.host)
            run.notes[TROUBLE] = reason = str(error.facts.get("reason") or error.sentence())
            if outcome.retry_elsewhere:
                error = BuildGaveUp(attempts=len(excluded), reason=reason)
            run.fail(error, retry=outcome.retry_elsewhere)


def unbuild(world: World, tx: Tx, runs: Sequence[Run]) -> None:
    """Order the guest away before its place is given to others, unless the host told that there is none."""
    del world, tx
    for run in runs:
        host = run.notes.get("host")
        if run.notes.pop(CLEAN, False) or host is None or run.instance is None:
            continue
        run.orders.append(destroy_order(run.instance, host, f"undo of {run.row.request_id}"))


def unbuilt(world: World, tx: Tx, runs: Sequence[Run]) -> None:
    """A host that could not say that the guest is gone keeps its claim, and no other host is tried."""
    del world, tx
    for run in runs:
        if any(outcome_error(outcome) is not None for outcome in run.outcomes):
            run.notes[KEEP] = True
            run.retry = False


def destroy_order(instance: Instance, host: HostName, reason: str, *, waits: bool = True) -> Ordered:
    """Return the order that takes a guest away."""
    action = ACTIONS["delete"]
    return Ordered(
        topic=COMPUTE,
        host=host,
        order=orders.Destroy(reason=reason),
        fence=instance.revision + 1,
        event=action.event,
        deadline_s=action.deadline_s,
        waits=waits,
    )
