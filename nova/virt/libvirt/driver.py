"""Wiring: the driver's musts and capabilities to the parts that do them."""

from __future__ import annotations

import collections
import contextlib
import logging
import pathlib
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self

import libvirt
from oslo_config import cfg

import nova
from nova.clock import Clock
from nova.conf import libvirt as libvirt_conf
from nova.conf.libvirt import LibvirtConf
from nova.errors import NovaError
from nova.errors.virt import (
    ActionFailed,
    BuildFailed,
    GuestNotFound,
    HostFull,
    HypervisorUnavailable,
    ImageUnusable,
    NoConsole,
    NotCapable,
)
from nova.objects.guest import ConsoleTarget, Diagnostics, GuestSpec
from nova.objects.holdings import Destroyed, GuestHoldings
from nova.objects.host import HostInventory, ObservedGuest
from nova.objects.ids import HostName, InstanceId, NodeName
from nova.objects.network import GuestFilter
from nova.objects.states import Capability, Power
from nova.privsep.links import Links
from nova.privsep.nft import Nft
from nova.virt.base import Material, PowerListener
from nova.virt.libvirt import console, diagnostics, holdings, host
from nova.virt.libvirt.connection import Connection
from nova.virt.libvirt.disks import DiskMaker
from nova.virt.libvirt.domain.builder import domain_xml
from nova.virt.libvirt.events import Mailbox
from nova.virt.libvirt.firewall import Firewall
from nova.virt.libvirt.guest import Guest, is_ours, read_power
from nova.virt.libvirt.images.qemu_img import QemuImg
from nova.virt.libvirt.keeper import Keeper
from nova.virt.libvirt.plan import DomainPlan, LocalDisk, Look
from nova.virt.libvirt.snapshot import Snapshooter
from nova.virt.libvirt.store import KERNEL, RAMDISK, Store
from nova.virt.libvirt.vif import bridge

LOG = logging.getLogger(__name__)

_CAPABILITIES = frozenset(
    {
        Capability.REBOOT_SOFT,
        Capability.PAUSE,
        Capability.SUSPEND,
        Capability.SNAPSHOT,
        Capability.CONSOLE_LOG,
        Capability.DIAGNOSTICS,
        Capability.CONFIG_DRIVE,
        Capability.LIFECYCLE_EVENTS,
    }
)
_OFF = (Power.SHUTDOWN, Power.CRASHED)
_DESTROYED_KEPT = 2_000
# What the user, or the scheduler, can do something about keeps its own class.
_TELLING = (ImageUnusable, HostFull, NotCapable, BuildFailed)


class LibvirtDriver:
    """QEMU and KVM guests of one host.  May be called from many threads, not twice for one guest at once."""

    name: str = "libvirt"

    def __init__(
        self, conf: LibvirtConf, host_name: HostName, clock: Clock, shares: host.HostShares | None = None
    ) -> None:
        self._conf = conf
        self._host = host_name
        self._clock = clock
        self._shares = shares or host.HostShares()
        self._mailbox = Mailbox()
        self._connection = Connection(
            conf.connection_uri, host_name, self._mailbox, call_timeout=conf.call_timeout, clock=clock
        )
        self._store = Store(conf.instances_path)
        self._links = Links()
        self._firewall = Firewall(self._store, Nft(), host_name)
        self._snapshooter = Snapshooter(
            QemuImg(host=host_name, copy_timeout=conf.copy_timeout), clock, host_name
        )
        self._keeper = Keeper(
            self._connection,
            self._mailbox,
            self._store,
            console_log_bytes=conf.console_log_bytes,
            clock=clock,
        )
        self._found: host.Host | None = None
        self._starting = threading.Lock()
        self._destroyed: collections.deque[Destroyed] = collections.deque(maxlen=_DESTROYED_KEPT)

    @classmethod
    def for_hosts(cls, hosts: Sequence[HostName], conf: cfg.ConfigOpts, clock: Clock) -> list[Self]:
        """Make the driver of this host from the options; a libvirt daemon is one host, so there is one."""
        if len(hosts) != 1:
            raise ValueError(f"the libvirt driver serves one host, not {len(hosts)}")
        path = pathlib.Path(conf.instances_path or f"{conf.state_path}/instances")
        shares = host.HostShares(
            host_ip=conf.my_ip or "127.0.0.1",
            cpu_ratio=conf.cpu_allocation_ratio,
            ram_ratio=conf.ram_allocation_ratio,
            disk_ratio=conf.disk_allocation_ratio,
            reserved_vcpus=conf.reserved_host_cpus,
            reserved_ram_mb=conf.reserved_host_memory_mb,
            reserved_disk_gb=-(-conf.reserved_host_disk_mb // 1024),
        )
        return [cls(libvirt_conf.read(conf, path), hosts[0], clock, shares)]

    # -- the host ------------------------------------------------------------------------------------------

    def start(self, on_power: PowerListener) -> None:
        with self._starting:
            self._connection.open()
            self._store.open()
            if self._found is None:
                self._found = self._find_host()
            try:
                self._firewall.start()
            except ActionFailed as error:
                # Guests without guards are worse than a host without new guests.
                raise self._unavailable(str(error.facts["reason"])) from error
            self._keeper.start(on_power, self.power_state, self.guests)

    def stop(self) -> None:
        self._keeper.stop()
        self._connection.close()

    def capabilities(self) -> frozenset[Capability]:
        return _CAPABILITIES | ({Capability.VNC} if self._conf.vnc_enabled else set())

    def inventories(self) -> Sequence[HostInventory]:
        running = sum(guest.power in (Power.RUNNING, Power.PAUSED) for guest in self.guests())
        return (host.inventory(self._here, self._store, self.capabilities(), running=running),)

    def guests(self) -> Sequence[ObservedGuest]:
        def look(virt: Any) -> list[tuple[str, Power]]:
            found = []
            for domain in virt.listAllDomains(0):
                # One that ends while we look is none.
                with contextlib.suppress(libvirt.libvirtError):
                    if is_ours(domain):
                        found.append((domain.UUIDString(), read_power(domain)))
            return found

        return [
            ObservedGuest(instance_id=InstanceId(uuid), power=power, node=NodeName(self._host))
            for uuid, power in self._connection.call(look)
        ]

    def power_state(self, instance_id: InstanceId) -> Power:
        return self._guest(instance_id).power()

    # -- life ----------------------------------------------------------------------------------------------

    def spawn(self, spec: GuestSpec, material: Material) -> None:
        guest = self._guest(spec.id)
        with self._keeper.quiet(spec.id), self._as_build_failure(spec.id):
            if guest.exists() and self._store.disks(spec.id) is not None:
                # An earlier call of the same build came this far.
                self._bring_up(spec, start=spec.power_on)
                return
            try:
                self._remove(spec.id)
                maker = DiskMaker(self._conf, self._host, self._store, self._here.platform)
                maker.make(spec, material)
                self._bring_up(spec, start=spec.power_on)
            except BaseException:
                self._clean_up(spec.id)
                raise

    def destroy(self, instance_id: InstanceId, reason: str) -> None:
        LOG.info("Instance %s: destroying its guest (%s)", instance_id, reason)
        with self._keeper.quiet(instance_id, report=False):
            self._remove(instance_id)
        self._destroyed.append(Destroyed(instance_id=instance_id, reason=reason))

    def power_on(self, spec: GuestSpec) -> None:
        with self._keeper.quiet(spec.id):
            power = self._power_or_none(spec.id)
            if power is Power.PAUSED:
                self._guest(spec.id).unpause()
            elif power is not Power.RUNNING:
                self._bring_up(spec, start=True)

    def power_off(self, instance_id: InstanceId, timeout_s: int) -> None:
        guest = self._guest(instance_id)
        with self._keeper.quiet(instance_id):
            power = guest.power()
            if power is Power.SUSPENDED:
                guest.forget_saved()
            elif power not in _OFF:
                # A guest that stands still cannot hear us.
                asked = power is Power.RUNNING and timeout_s > 0
                if not (asked and guest.wait_until_off(timeout_s, ask=True)):
                    guest.kill(self._conf.start_timeout)

    def reboot_hard(self, spec: GuestSpec) -> None:
        guest = self._guest(spec.id)
        with self._keeper.quiet(spec.id):
            power = self._power_or_none(spec.id)
            if power is Power.SUSPENDED:
                guest.forget_saved()
            elif power is not None and power not in _OFF:
                guest.kill(self._conf.start_timeout)
            self._bring_up(spec, start=True)

    def reboot_soft(self, spec: GuestSpec, timeout_s: int) -> bool:
        guest = self._guest(spec.id)
        with self._keeper.quiet(spec.id):
            power = guest.power()
            if power in (*_OFF, Power.SUSPENDED):
                raise ActionFailed(action="reboot", host=self._host, reason="the guest does not run")
            # A guest that stands still cannot hear us.
            if power is not Power.RUNNING or not guest.wait_until_off(timeout_s, ask=True):
                return False
            self._bring_up(spec, start=True)
            return True

    def pause(self, instance_id: InstanceId) -> None:
        with self._keeper.quiet(instance_id):
            self._guest(instance_id).pause()

    def unpause(self, instance_id: InstanceId) -> None:
        with self._keeper.quiet(instance_id):
            self._guest(instance_id).unpause()

    def suspend(self, instance_id: InstanceId) -> None:
        with self._keeper.quiet(instance_id):
            self._guest(instance_id).save(self._conf.save_timeout)

    def resume(self, spec: GuestSpec) -> None:
        guest = self._guest(spec.id)
        with self._keeper.quiet(spec.id):
            power = guest.power()
            if power is Power.SUSPENDED:
                self._connect_interfaces(spec)
                guest.start(self._conf.save_timeout)
            elif power in _OFF:
                self._bring_up(spec, start=True)
            elif power is Power.PAUSED:
                guest.unpause()

    # -- what guests say, show and hold --------------------------------------------------------------------

    def snapshot(self, instance_id: InstanceId, target: pathlib.Path, disk_format: str) -> None:
        root = self._disks(instance_id)[0]
        directory = self._store.directory(instance_id)
        self._snapshooter.snapshot(self._guest(instance_id), root, directory, target, disk_format)

    def console_log(self, instance_id: InstanceId, tail_lines: int | None, limit_bytes: int) -> bytes:
        directory = self._store.directory(instance_id)
        if not directory.is_dir():
            raise GuestNotFound(instance=instance_id)
        return console.read_log(directory, tail_lines, limit_bytes)

    def vnc(self, instance_id: InstanceId) -> ConsoleTarget:
        port = console.vnc_port(self._guest(instance_id).xml())
        if port is None:
            raise NoConsole(reason="the guest has no screen now")
        return ConsoleTarget(host=self._conf.vnc_proxyclient_address, port=port)

    def diagnostics(self, instance_id: InstanceId) -> Diagnostics:
        def read(domain: Any) -> tuple[dict[str, Any], Power]:
            # A guest that is busy gives what can be had without it.
            flags = libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT
            found = domain.connect().domainListGetStats([domain], diagnostics.STATS, flags)
            return found[0][1], read_power(domain)

        stats, power = self._guest(instance_id).do("diagnose", read)
        guarded = self._firewall.of(instance_id)
        return diagnostics.diagnostics(
            stats,
            power,
            {vif.device: vif.mac for vif in (guarded.vifs if guarded else ())},
            virt_type=self._here.platform.virt_type,
            config_drive=any(disk.file == "disk.config" for disk in self._disks(instance_id)),
        )

    def apply_filters(self, filters: Sequence[GuestFilter]) -> None:
        self._firewall.apply(filters)

    def holdings(self) -> GuestHoldings:
        return holdings.look(self._host, self.guests(), self._store, tuple(self._destroyed))

    # -- parts ---------------------------------------------------------------------------------------------

    def _guest(self, instance_id: InstanceId) -> Guest:
        return Guest(self._connection, instance_id, self._host, self._clock)

    def _find_host(self) -> host.Host:
        facts = host.read_facts(self._connection)
        platform = host.find_platform(self._connection, facts, self._conf, self._clock, self._host)
        return host.Host(
            name=self._host, facts=facts, platform=platform, shares=self._shares, conf=self._conf
        )

    @property
    def _here(self) -> host.Host:
        if self._found is None:
            raise self._unavailable("the driver is not started")
        return self._found

    def _unavailable(self, reason: str) -> HypervisorUnavailable:
        return HypervisorUnavailable(part=f"libvirt on {self._host}", host=self._host, reason=reason)

    def _disks(self, instance_id: InstanceId) -> tuple[LocalDisk, ...]:
        found = self._store.disks(instance_id)
        if not found:
            raise GuestNotFound(instance=instance_id)
        return found

    def _power_or_none(self, instance_id: InstanceId) -> Power | None:
        try:
            return self._guest(instance_id).power()
        except GuestNotFound:
            return None

    def _bring_up(self, spec: GuestSpec, *, start: bool) -> None:
        """Define a guest whose disks are there, guard and connect its interfaces, start it."""
        guest = self._guest(spec.id)
        power = self._power_or_none(spec.id)
        if power in (Power.RUNNING, Power.PAUSED):
            return
        self._connect_interfaces(spec)
        if power is not Power.SUSPENDED:
            guest.define(domain_xml(self._plan(spec)))
        if start:
            guest.start(self._conf.start_timeout)

    def _connect_interfaces(self, spec: GuestSpec) -> None:
        bridge.ensure(self._links, spec.vifs, self._host)
        # In force before the first packet.
        self._firewall.apply([GuestFilter(instance_id=spec.id, vifs=spec.vifs, rules=spec.rules)])

    def _plan(self, spec: GuestSpec) -> DomainPlan:
        conf = self._conf
        directory = self._store.directory(spec.id)
        return DomainPlan(
            spec=spec,
            platform=self._here.platform,
            look=Look(
                cpu_mode=conf.cpu_mode,
                cpu_model=conf.cpu_model,
                vif_model=conf.vif_model,
                video_model=conf.video_model,
                pointer_model=conf.pointer_model,
                rng_dev_path=conf.rng_dev_path,
                mem_stats_period=conf.mem_stats_period_seconds,
                tb_cache_mb=conf.tb_cache_size,
                vnc_listen=conf.vnc_listen if conf.vnc_enabled else None,
            ),
            directory=directory,
            disks=self._disks(spec.id),
            kernel=(directory / KERNEL).exists(),
            ramdisk=(directory / RAMDISK).exists(),
            created_at=self._clock.now(),
            package_version=nova.__version__,
        )

    def _remove(self, instance_id: InstanceId) -> None:
        """Take away everything of a guest, whatever part of it is there."""
        guest = self._guest(instance_id)
        steps: tuple[Callable[[], None], ...] = (
            lambda: guest.kill(self._conf.start_timeout),
            guest.undefine,
        )
        for step in steps:
            with contextlib.suppress(GuestNotFound):
                step()
        guarded = self._firewall.of(instance_id)
        if guarded is not None:
            bridge.remove(self._links, guarded.vifs)
            self._firewall.forget(instance_id)
        self._store.remove(instance_id)

    def _clean_up(self, instance_id: InstanceId) -> None:
        """Remove a failed build; what fails here must not hide why the build failed."""
        try:
            self._remove(instance_id)
        except NovaError as error:
            LOG.error("Instance %s: its failed build could not be removed: %s", instance_id, error)

    @contextmanager
    def _as_build_failure(self, instance_id: InstanceId) -> Iterator[None]:
        try:
            yield
        except _TELLING:
            raise
        except OSError as error:
            LOG.error("Instance %s: %s", instance_id, error)
            raise BuildFailed(
                host=self._host, reason=f"a file could not be written ({error.strerror})"
            ) from error
        except ActionFailed as error:
            raise BuildFailed(
                host=self._host, reason=f"{error.facts['action']}: {error.facts['reason']}"
            ) from error


def programs_missing() -> list[str]:
    """Return the programs the driver needs and this host lacks, for a clear word before the start."""
    return [
        name for name in ("qemu-img", "nft", "prlimit", "mkfs.ext4", "mkswap") if shutil.which(name) is None
    ]
