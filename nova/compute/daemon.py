"""nova-compute put together: hosts, agent, endpoints, loops."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nova.compute.agent import PULSE_S, Agent, Wakers
from nova.compute.config_drive import ConfigDrives
from nova.compute.endpoint import Endpoint
from nova.compute.host import BINARY, Host, Means, context
from nova.compute.host_boot import HostBoot
from nova.compute.image_cache import FOLDER, ImageCache
from nova.conf import compute as compute_conf
from nova.conf.compute import ComputeConf
from nova.daemon import Daemon, Need, Parts, Surroundings
from nova.image.choice import image_store
from nova.loops import Loops
from nova.objects.ids import HostName, InstanceId
from nova.objects.metadata import GuestMetadata
from nova.rpc.contracts.compute import Compute
from nova.rpc.contracts.conductor.networks import Networks
from nova.rpc.contracts.conductor.reports import Reports
from nova.virt.registry import driver_name, make_drivers, needs_images

if TYPE_CHECKING:
    from oslo_config import cfg

REPORT_AGAIN_S = 3.0
"""A report that the conductor did not take over is sent again after this."""
_LOOK_S = 2.0
_CONNECT_S = 5.0


def make_daemon(surroundings: Surroundings) -> Daemon:
    """Make nova-compute for this host, or for its fake hosts."""
    return Daemon(BINARY, build, surroundings)


def host_names(conf: cfg.ConfigOpts, host: str) -> list[HostName]:
    """Name the hosts of this process: ``host``, or with several fake ones ``host-1``, ``host-2``, ..."""
    if driver_name(conf.compute_driver) != "fake" or conf.fake.hosts == 1:
        return [HostName(host)]
    return [HostName(f"{host}-{number}") for number in range(1, conf.fake.hosts + 1)]


def build(surroundings: Surroundings, loops: Loops) -> Parts:
    """Build the parts of nova-compute."""
    conf, clock = surroundings.conf, surroundings.clock
    settings = compute_conf.read(conf)
    means = _means(surroundings, settings)
    drivers = make_drivers(settings.driver, host_names(conf, surroundings.host), conf, clock)
    hosts = [Host(name, d, means, needs_images=needs_images(d)) for name, d in drivers.items()]
    boot = HostBoot(
        drivers, settings.instances_path / f".host-boot-{surroundings.host}", resume=settings.resume_guests
    )
    agent = Agent(hosts, means, boot, clock)
    _add_loops(agent, means, loops, settings)
    servers = [surroundings.at(host.name).server(Compute, Endpoint(agent, host.name)) for host in hosts]

    def reload(fresh: cfg.ConfigOpts) -> None:
        agent.work_by(compute_conf.read(fresh))

    return Parts(
        services=[agent, *servers],
        needs=[Need("the hypervisor and the conductor", agent.is_ready)],
        beat=agent.beat,
        reload=reload,
    )


def _means(surroundings: Surroundings, settings: ComputeConf) -> Means:
    networks = surroundings.client(Networks).any
    images = image_store(surroundings.conf, surroundings.clock)

    def look_up(instance: InstanceId) -> GuestMetadata | None:
        return networks.metadata_by_id(context(), instance)

    vendor_file = surroundings.conf.metadata.vendordata_jsonfile_path
    return Means(
        settings,
        surroundings.client(Reports).any,
        images,
        ImageCache(
            settings.instances_path / FOLDER,
            images,
            surroundings.clock,
            raw=settings.force_raw_images,
            max_bytes=settings.max_image_bytes,
        ),
        ConfigDrives(settings, surroundings.host, look_up, Path(vendor_file) if vendor_file else None),
    )


def _add_loops(agent: Agent, means: Means, loops: Loops, settings: ComputeConf) -> None:
    report = loops.add("report", agent.report, REPORT_AGAIN_S)
    power = loops.add("power", agent.power.run, REPORT_AGAIN_S)
    filters = loops.add("filters", agent.filters.run, REPORT_AGAIN_S)
    agent.wake = Wakers(report=report.wake, power=power.wake, filters=filters.wake)
    loops.add("inventory", agent.inventory.run, settings.inventory_interval_s)
    loops.add("guests", agent.full.run, _LOOK_S)
    loops.add("pulse", agent.pulse, PULSE_S)
    loops.add("connect", agent.connect, _CONNECT_S, first_after_s=_CONNECT_S)
    if settings.phase_delay_s:
        loops.add("phases", agent.report_phases, settings.phase_delay_s)
    loops.add(
        "images",
        lambda: means.cache.drop_unused(settings.image_cache_age_s),
        settings.image_cache_interval_s,
    )
