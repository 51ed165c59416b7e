"""The form of a torture: what cloud, how much load, which faults, for how long."""

from __future__ import annotations

from dataclasses import dataclass

DRIVERS = ("fake", "libvirt")
DATABASES = ("mariadb", "postgresql")


@dataclass(frozen=True, kw_only=True)
class Form:
    """All that is chosen; the same form and seed make the same plan (not the same races)."""

    seed: int = 1
    seconds: float = 600.0
    """How long faults are inflicted; the start before and the judgement after come on top."""
    operations: int = 1000
    """The clients end when so many were done and the time is over, never before the time is over."""
    clients: int = 16
    driver: str = "fake"
    database: str = "mariadb"
    hosts: int = 5
    brokers: int = 1
    """Nodes of RabbitMQ; several are one cluster, and lose one at a time."""
    single: bool = False
    """One of each daemon instead of two conductors, schedulers and APIs."""
    lease_s: float = 3.0
    settle_s: float = 60.0
    """Within this after the last fault all invariants must hold."""
    faults: tuple[str, ...] = ()
    """Names of faults to choose from; none: all that fit."""

    def words(self) -> str:
        """Say the form in one line."""
        several = "one of each daemon" if self.single else "two conductors, schedulers and APIs"
        brokers = f", {self.brokers} brokers" if self.brokers > 1 else ""
        return (
            f"{self.driver} driver, {self.hosts} hosts, {self.database}{brokers}, {several}, "
            f"{self.clients} clients, seed {self.seed}, {self.seconds:.0f} s of faults"
        )
