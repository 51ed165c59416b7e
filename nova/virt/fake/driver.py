"""The fake driver: one object a host, all state in the shared world."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Sequence
from typing import ClassVar, Self, TypeVar

from oslo_config import cfg

from nova.clock import Clock
from nova.conf import compute as compute_conf
from nova.conf import fake as fake_conf
from nova.errors.virt import ActionFailed, NoConsole
from nova.objects.base import Value
from nova.objects.guest import ConsoleTarget, Diagnostics, GuestSpec
from nova.objects.holdings import GuestHoldings
from nova.objects.host import HostInventory, ObservedGuest
from nova.objects.ids import HostName, InstanceId, NodeName
from nova.objects.network import GuestFilter
from nova.objects.states import Capability, Power
from nova.virt.base import Material, PowerListener
from nova.virt.fake.books import HeldGuest, holdings
from nova.virt.fake.disk import disk_image
from nova.virt.fake.script import Rule, Script, told_power
from nova.virt.fake.store import WorldStore
from nova.virt.fake.world import Capacity, World

T = TypeVar("T")
_Allowed = frozenset[Power] | tuple[Power, ...]

_CAPABILITIES = frozenset(
    {
        Capability.REBOOT_SOFT,
        Capability.PAUSE,
        Capability.SUSPEND,
        Capability.SNAPSHOT,
        Capability.CONSOLE_LOG,
        Capability.VNC,
        Capability.SERIAL,
        Capability.DIAGNOSTICS,
        Capability.CONFIG_DRIVE,
        Capability.LIFECYCLE_EVENTS,
    }
)


class FakeHost(Value, frozen=True, kw_only=True):
    """What a fake host says of itself; shared by all hosts that are alike."""

    vcpus: int = 64
    ram_mb: int = 262144
    disk_gb: int = 4096
    cpu_ratio: float = 4.0
    ram_ratio: float = 1.0
    disk_ratio: float = 1.0
    host_ip: str = "127.0.0.1"
    vnc_port: int = 5900

    def capacity(self) -> Capacity:
        """Return what guests may take in all."""
        return Capacity(
            vcpus=self.vcpus * self.cpu_ratio,
            ram_mb=self.ram_mb * self.ram_ratio,
            disk_gb=self.disk_gb * self.disk_ratio,
        )


class FakeDriver:
    """A hypervisor that does at once what it is told, by the script's leave."""

    name: str = "fake"
    needs_images: ClassVar[bool] = False
    """The agent fetches no images for it."""
    __slots__ = ("_about", "_host", "_on_power", "_script", "_world")

    def __init__(self, host: HostName, world: World, script: Script, about: FakeHost) -> None:
        self._host = host
        self._world = world
        self._script = script
        self._about = about
        self._on_power: PowerListener | None = None
        world.add_hosts([host], about.capacity())

    @classmethod
    def for_hosts(cls, hosts: Sequence[HostName], conf: cfg.ConfigOpts, clock: Clock) -> list[Self]:
        """Make the drivers of all hosts of this process, in one world."""
        fake, compute = fake_conf.read(conf), compute_conf.read(conf)
        world = World(WorldStore(fake.world) if fake.world else None)
        script = Script(clock, path=fake.script)
        about = FakeHost(
            vcpus=fake.vcpus,
            ram_mb=fake.ram_mb,
            disk_gb=fake.disk_gb,
            cpu_ratio=compute.cpu_ratio,
            ram_ratio=compute.ram_ratio,
            disk_ratio=compute.disk_ratio,
            host_ip=conf.my_ip,
            vnc_port=fake.vnc_port,
        )
        world.add_hosts(hosts, about.capacity())
        return [cls(host, world, script, about) for host in hosts]

    def start(self, on_power: PowerListener) -> None:
        self._do("start", "", lambda: None)
        self._on_power = on_power

    def stop(self) -> None:
        self._on_power = None

    def capabilities(self) -> frozenset[Capability]:
        return _CAPABILITIES

    def inventories(self) -> Sequence[HostInventory]:
        about = self._about
        guests = self._do("inventories", "", lambda: self._world.guests(self._host))
        inventory = HostInventory(
            host=self._host,
            node=NodeName(self._host),
            hypervisor_type="fake",
            hypervisor_version=1000000,
            vcpus=about.vcpus,
            ram_mb=about.ram_mb,
            disk_gb=about.disk_gb,
            reserved_ram_mb=0,
            cpu_ratio=about.cpu_ratio,
            ram_ratio=about.ram_ratio,
            disk_ratio=about.disk_ratio,
            host_ip=about.host_ip,
            cpu_info={"arch": "x86_64", "model": "fake", "vendor": "fake", "features": []},
            supported=(("x86_64", "fake", "hvm"), ("x86_64", "qemu", "hvm"), ("x86_64", "kvm", "hvm")),
            capabilities=tuple(sorted(_CAPABILITIES)),
            disk_available_gb=max(0, about.disk_gb - sum(g.disk_gb for g in guests)),
            running=len(guests),
        )
        return (inventory,)

    def guests(self) -> Sequence[ObservedGuest]:
        found = self._do("guests", "", lambda: self._world.guests(self._host), lie=lambda: list[HeldGuest]())
        return [ObservedGuest(instance_id=g.id, power=g.power, node=NodeName(self._host)) for g in found]

    def power_state(self, instance_id: InstanceId) -> Power:
        return self._do("power_state", instance_id, lambda: self._guest(instance_id).power, told=told_power)

    def spawn(self, spec: GuestSpec, material: Material) -> None:
        def make() -> None:
            power = self._world.spawn(self._host, spec)
            if material.config_drive is not None:
                material.config_drive.unlink(missing_ok=True)
            self._tell(spec.id, power)

        self._do("spawn", spec.id, make, name=spec.name)

    def destroy(self, instance_id: InstanceId, reason: str) -> None:
        self._do("destroy", instance_id, lambda: self._world.destroy(self._host, instance_id, reason))

    def power_on(self, spec: GuestSpec) -> None:
        self._turn("power_on", spec.id, Power.RUNNING, _FROM_OFF)

    def power_off(self, instance_id: InstanceId, timeout_s: int) -> None:  # noqa: ARG002 - it obeys at once
        self._turn("power_off", instance_id, Power.SHUTDOWN, _FROM_ANY)

    def reboot_hard(self, spec: GuestSpec) -> None:
        self._turn("reboot_hard", spec.id, Power.RUNNING, _FROM_ANY, boot=True)

    def reboot_soft(self, spec: GuestSpec, timeout_s: int) -> bool:  # noqa: ARG002 - it obeys at once
        def reboot() -> bool:
            self._change("reboot_soft", spec.id, Power.RUNNING, (Power.RUNNING,), boot=True)
            return True

        return self._do("reboot_soft", spec.id, reboot, name=spec.name, lie=lambda: False)

    def pause(self, instance_id: InstanceId) -> None:
        self._turn("pause", instance_id, Power.PAUSED, (Power.RUNNING,))

    def unpause(self, instance_id: InstanceId) -> None:
        self._turn("unpause", instance_id, Power.RUNNING, (Power.PAUSED,))

    def suspend(self, instance_id: InstanceId) -> None:
        self._turn("suspend", instance_id, Power.SUSPENDED, (Power.RUNNING, Power.PAUSED))

    def resume(self, spec: GuestSpec) -> None:
        self._turn("resume", spec.id, Power.RUNNING, (Power.SUSPENDED,))

    def snapshot(self, instance_id: InstanceId, target: pathlib.Path, disk_format: str) -> None:
        def write() -> None:
            label = f"fake snapshot of {self._guest(instance_id).id}\n".encode()
            target.write_bytes(disk_image(disk_format, label))

        self._do("snapshot", instance_id, write)

    def console_log(self, instance_id: InstanceId, tail_lines: int | None, limit_bytes: int) -> bytes:
        def text() -> bytes:
            guest = self._guest(instance_id)
            lines = [line for boot in range(1, guest.boots + 1) for line in _boot_lines(guest, boot)]
            if tail_lines is not None:
                lines = lines[-tail_lines:] if tail_lines > 0 else []
            return "".join(f"{line}\n" for line in lines).encode()[-limit_bytes:]

        return self._do("console_log", instance_id, text, lie=bytes)

    def vnc(self, instance_id: InstanceId) -> ConsoleTarget:
        return self._do("vnc", instance_id, lambda: self._console(instance_id))

    def serial(self, instance_id: InstanceId) -> ConsoleTarget:
        return self._do("serial", instance_id, lambda: self._console(instance_id))

    def diagnostics(self, instance_id: InstanceId) -> Diagnostics:
        def read() -> Diagnostics:
            guest = self._guest(instance_id)
            return Diagnostics(
                state=guest.power.name.lower(),
                driver="fake",
                hypervisor="fake",
                hypervisor_os="fake",
                uptime_s=0,
                cpus=tuple({"id": n, "time": 0, "utilisation": 0} for n in range(guest.vcpus)),
                memory={"maximum": guest.ram_mb, "used": 0},
                nics=tuple({"mac_address": v.mac, "rx_octets": 0, "tx_octets": 0} for v in guest.vifs),
                disks=tuple({"read_bytes": 0, "write_bytes": 0} for _ in guest.disks),
            )

        return self._do("diagnostics", instance_id, read)

    def apply_filters(self, filters: Sequence[GuestFilter]) -> None:
        self._do("apply_filters", "", lambda: self._world.filter(filters))

    def holdings(self) -> GuestHoldings:
        return self._do("holdings", "", lambda: holdings(self._world.books(), self._host))

    def shut_down_inside(self, instance_id: InstanceId, power: Power = Power.SHUTDOWN) -> None:
        """Let the guest stop by itself (or crash), as its user would; for tests."""
        self._change("shut_down_inside", instance_id, power, _FROM_ANY)

    def _guest(self, instance_id: InstanceId) -> HeldGuest:
        return self._world.guest(self._host, instance_id)

    def _console(self, instance_id: InstanceId) -> ConsoleTarget:
        if self._guest(instance_id).power not in {Power.RUNNING, Power.PAUSED}:
            raise NoConsole(reason="the guest is not running")
        return ConsoleTarget(host=self._about.host_ip, port=self._about.vnc_port)

    def _turn(
        self, method: str, instance_id: InstanceId, to: Power, allowed: _Allowed, *, boot: bool = False
    ) -> None:
        self._do(method, instance_id, lambda: self._change(method, instance_id, to, allowed, boot=boot))

    def _change(
        self, method: str, instance_id: InstanceId, to: Power, allowed: _Allowed, *, boot: bool = False
    ) -> None:
        def decide(guest: HeldGuest) -> Power:
            if guest.power is not to and guest.power not in allowed:
                reason = f"the guest is {guest.power.name.lower()}"
                raise ActionFailed(action=method, host=self._host, reason=reason)
            return to

        old, new = self._world.change(self._host, instance_id, decide, boot=boot)
        if old is not new or boot:
            self._tell(instance_id, new)

    def _tell(self, instance_id: InstanceId, power: Power) -> None:
        if self._on_power is not None:
            self._on_power(instance_id, power)

    def _do(
        self,
        method: str,
        instance_id: InstanceId | str,
        deed: Callable[[], T],
        *,
        name: str = "",
        lie: Callable[[], T] | None = None,
        told: Callable[[Rule], T] | None = None,
    ) -> T:
        """Do a deed as the script allows; ``lie`` or ``told`` make the answer of one that is not done."""
        rule = self._script.find(method, self._host, instance_id, name or self._name(instance_id))
        if rule is None:
            return deed()
        if rule.fault == "lie":
            if told is not None:
                return told(rule)
            # a lie about a deed without an answer is to answer at all
            return lie() if lie is not None else None  # type: ignore[return-value]
        if rule.when == "before":
            self._script.suffer(rule, method, self._host, instance_id)
            return deed()
        result = deed()
        self._script.suffer(rule, method, self._host, instance_id)
        return result

    def _name(self, instance_id: InstanceId | str) -> str:
        return self._world.name_of(instance_id) if instance_id and self._script.is_active else ""


_FROM_ANY = frozenset(Power)
_FROM_OFF = frozenset({Power.SHUTDOWN, Power.CRASHED, Power.NOSTATE, Power.SUSPENDED})


def _boot_lines(guest: HeldGuest, boot: int) -> list[str]:
    return [
        f"[    0.000000] Fake kernel, boot {boot} of guest {guest.id}",
        f"[    0.100000] {guest.vcpus} CPUs, {guest.ram_mb} MiB of memory, {len(guest.disks)} disks",
        *(f"[    0.200000] net: {v.mac} {' '.join(v.addresses)}" for v in guest.vifs),
        f"=== {guest.name} is up ===",
        "login: ",
    ]
