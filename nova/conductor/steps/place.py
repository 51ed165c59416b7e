"""Find a host, claim it, and give the instance its addresses: all of it or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from nova.conductor.engine.step import Event, Run
from nova.conductor.steps.host import KEEP, TROUBLE
from nova.conductor.workflows.inputs import BootInput
from nova.db import fixed_ips, hosts, instances, networks, quotas, server_groups
from nova.errors.servers import NoValidHost, QuotaExceeded, WorkflowSuperseded
from nova.objects.ids import HostName, InstanceId, NetworkId, ProjectId
from nova.objects.instance import Instance
from nova.objects.network import Vif
from nova.objects.placement import Decision, GroupNeed, HostChoice, PlacementRequest
from nova.objects.states import Task, Vm

if TYPE_CHECKING:
    from nova.conductor.world import World
    from nova.db.engine import Tx

RACES = 10
"""How often a claim may lose to others before there is no valid host."""


def ask_scheduler(world: World, runs: Sequence[Run]) -> None:
    """Ask for hosts for all runs at once; runs of one request form one question."""
    alone = [run for run in runs if run.instance is None]
    if alone:
        found = world.db.read(
            lambda tx: instances.get_many(tx, [InstanceId(run.row.instance_id) for run in alone])
        )
        for run in alone:
            run.instance = found.get(InstanceId(run.row.instance_id))
            if run.instance is None:
                run.fail(WorkflowSuperseded(id=run.row.instance_id, action="delete"))
    by_request: dict[tuple[str, int, str], list[Run]] = {}
    for run in runs:
        if run.error is None:
            key = (run.row.request_id, run.row.attempt, ",".join(run.notes.get("excluded", ())))
            by_request.setdefault(key, []).append(run)
    if not by_request:
        return
    batches = list(by_request.values())
    decisions = world.scheduler.any.select(world.context(), [_question(world, b) for b in batches])
    for batch, decision in zip(batches, decisions, strict=True):
        _take_decision(batch, decision)


def _question(world: World, batch: list[Run]) -> PlacementRequest:
    first = batch[0]
    instance = first.known
    wish: BootInput = first.input
    return PlacementRequest(
        id=first.row.id,
        instances=tuple(InstanceId(run.row.instance_id) for run in batch),
        project_id=instance.project_id,
        flavor=instance.flavor,
        image=instance.image,
        zone=wish.zone,
        forced_host=wish.forced_host,
        forced_node=wish.forced_node,
        requested_host=wish.requested_host,
        requested_node=wish.requested_node,
        excluded=tuple(first.notes.get("excluded", ())),
        hints=instance.scheduler_hints,
        hint_hosts=_hint_hosts(world, instance),
        group=_group_need(world, instance),
    )


def _hint_hosts(world: World, instance: Instance) -> dict[InstanceId, HostName]:
    """Return where the servers are that hints name; those of other projects are as if there were none."""
    named = [
        InstanceId(value)
        for hint in ("same_host", "different_host")
        for value in instance.scheduler_hints.get(hint, ())
    ]
    if not named:
        return {}
    found = world.db.read(lambda tx: instances.hosts_of(tx, named, instance.project_id))
    return {i: host for i, host in found.items() if host is not None}


def _group_need(world: World, instance: Instance) -> GroupNeed | None:
    if instance.server_group_id is None:
        return None
    group_id = instance.server_group_id
    return world.db.read(lambda tx: server_groups.need(tx, group_id))


def _take_decision(batch: list[Run], decision: Decision) -> None:
    if not decision.choices:
        for run in batch:
            run.events.append(
                Event(event="schedule_instances", details=decision.explanation.sentence(), failed=True)
            )
            run.notes["explanation"] = msgspec.to_builtins(decision.explanation)
            reason = decision.explanation.sentence()
            if trouble := run.notes.get(TROUBLE):
                reason += f" The last one tried could not build the server: {trouble}"
            run.fail(NoValidHost(reason=reason))
        return
    for run, choice in zip(batch, decision.choices, strict=True):
        run.answer = ([choice, *decision.alternates], decision.explanation)


def claim(world: World, tx: Tx, runs: Sequence[Run]) -> None:
    """Claim the chosen hosts (alternates for those that lose a race), addresses and the state."""
    del world
    chosen = _claim_hosts(tx, runs)
    _keep_quota(tx, [run for run in runs if run.id in chosen])
    placed = [run for run in runs if run.id in chosen and run.error is None]
    for run in runs:
        if run.id not in chosen:
            races = run.notes["races"] = run.notes.get("races", 0) + 1
            run.fail(
                NoValidHost(reason="Other requests took the chosen hosts first; please try again."),
                retry=races < RACES,
            )
    if not placed:
        return
    vifs = _addresses(tx, placed, chosen)
    won = instances.swap(
        tx,
        [
            instances.Swap(
                id=InstanceId(run.row.instance_id),
                expect_vm=frozenset({Vm.BUILDING}),
                expect_task=frozenset({Task.SCHEDULING, Task.NETWORKING, Task.SPAWNING}),
                task=Task.SPAWNING,
                host=chosen[run.id].host,
                node=chosen[run.id].node,
                zone=chosen[run.id].zone,
                vifs=vifs.get(InstanceId(run.row.instance_id), ()),
            )
            for run in placed
        ],
    )
    for run in placed:
        instance_id = InstanceId(run.row.instance_id)
        if instance_id not in won:
            run.fail(WorkflowSuperseded(id=instance_id, action="resetState"))
            continue
        choice = chosen[run.id]
        _, explanation = run.answer
        told = msgspec.structs.replace(explanation, chosen=choice.host)
        run.events.append(Event(event="schedule_instances", host=choice.host, details=told.sentence()))
        run.notes["explanation"] = msgspec.to_builtins(told)
        run.notes["host"] = choice.host
        run.instance = msgspec.structs.replace(
            run.known,
            host=choice.host,
            node=choice.node,
            availability_zone=choice.zone,
            vifs=vifs.get(instance_id, ()),
            task_state=Task.SPAWNING,
            revision=won[instance_id],
        )


def _claim_hosts(tx: Tx, runs: Sequence[Run]) -> dict[str, HostChoice]:
    chosen: dict[str, HostChoice] = {}
    left = list(runs)
    rounds = max((len(run.answer[0]) for run in runs), default=0)
    for number in range(rounds):
        asked = [(run, run.answer[0][number]) for run in left if number < len(run.answer[0])]
        if not asked:
            break
        won = hosts.claim(tx, [_need(run, choice) for run, choice in asked])
        for run, choice in asked:
            if run.row.instance_id in won and _keeps_group(tx, run, choice):
                chosen[run.id] = choice
        left = [run for run in left if run.id not in chosen]
        if not left:
            break
    return chosen


def _need(run: Run, choice: HostChoice) -> hosts.Claim:
    flavor = run.known.flavor
    return hosts.Claim(
        instance_id=run.known.id,
        host=choice.host,
        node=choice.node,
        vcpus=flavor.vcpus,
        ram_mb=flavor.ram_mb,
        disk_gb=flavor.disk_gb,
    )


def _keeps_group(tx: Tx, run: Run, choice: HostChoice) -> bool:
    group_id = run.known.server_group_id
    if group_id is None or server_groups.occupy(tx, group_id, run.known.id, choice.host):
        return True
    hosts.release(tx, [run.known.id])
    return False


def _keep_quota(tx: Tx, runs: Sequence[Run]) -> None:
    """Fail the runs whose project may hold no more addresses; it is counted by one claim at a time."""
    bounded: dict[ProjectId, list[Run]] = {}
    for run in runs:
        if run.input.fixed_ips >= 0 and run.input.vifs:
            bounded.setdefault(run.known.project_id, []).append(run)
    for project, some in sorted(bounded.items()):
        quotas.hold(tx, project)
        used = fixed_ips.count_of(tx, project)
        holders = {ip.instance_id for ip in fixed_ips.of_instances(tx, [run.known.id for run in some])}
        for run in some:
            wanted, limit = len(run.input.vifs), run.input.fixed_ips
            if run.known.id in holders:
                continue
            if used + wanted <= limit:
                used += wanted
                continue
            give_back(tx, [run.known.id])
            run.fail(QuotaExceeded(resources="fixed_ips", requested=wanted, used=used, allowed=limit))


def _addresses(
    tx: Tx, runs: Sequence[Run], chosen: dict[str, HostChoice]
) -> dict[InstanceId, tuple[Vif, ...]]:
    plans = [(run, plan) for run in runs for plan in run.input.vifs]
    if not plans:
        return {}
    nets = networks.get_many(tx, {NetworkId(plan.network_id) for _, plan in plans})
    got = fixed_ips.allocate(
        tx,
        [
            fixed_ips.AddressWant(
                instance_id=run.known.id,
                vif_id=plan.vif_id,
                mac=plan.mac,
                network_id=plan.network_id,
                fixed_ip=plan.fixed_ip,
                hostname=run.known.hostname,
                host=chosen[run.id].host,
            )
            for run, plan in plans
        ],
    )
    vifs: dict[InstanceId, tuple[Vif, ...]] = {}
    for run, plan in plans:
        network = nets[plan.network_id]
        vif = Vif(
            id=plan.vif_id,
            mac=plan.mac,
            network_id=network.id,
            label=network.label,
            addresses=got[plan.vif_id],
            cidr=network.cidr,
            gateway=network.gateway,
            dns=network.dns,
            dhcp_server=network.dhcp_server,
            bridge=network.bridge,
            mtu=network.mtu,
            topology=network.topology,
            tag=plan.tag,
        )
        vifs[run.known.id] = (*vifs.get(run.known.id, ()), vif)
    return vifs


def release(world: World, tx: Tx, runs: Sequence[Run]) -> None:
    """Give host and addresses back; the instance waits for a host again."""
    del world
    found = [InstanceId(run.row.instance_id) for run in runs if not run.notes.get(KEEP)]
    if not found:
        return
    give_back(tx, found)
    instances.swap(
        tx,
        [
            instances.Swap(
                id=i,
                expect_vm=frozenset({Vm.BUILDING}),
                task=Task.SCHEDULING,
                host=None,
                node=None,
                vifs=(),
            )
            for i in found
        ],
    )
    for run in runs:
        run.instance = None


def give_back(tx: Tx, found: list[InstanceId]) -> None:
    """Release everything that instances hold of hosts and networks; twice is fine."""
    hosts.release(tx, found)
    fixed_ips.release(tx, found)
    server_groups.vacate(tx, found)
