"""A whole cloud in one process: every daemon, one transport, one configuration.

``nova-all``, the tests and the README use it.  Daemons are built as they would be alone; only who runs them
differs.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence

from nova.daemon import Daemon, Surroundings

FACTORIES: dict[str, str] = {
    "nova-conductor": "nova.conductor.daemon:make_daemon",
    "nova-scheduler": "nova.scheduler.daemon:make_daemon",
    "nova-network": "nova.network.daemon:make_daemon",
    "nova-compute": "nova.compute.daemon:make_daemon",
    "nova-consoleauth": "nova.consoleauth.daemon:make_daemon",
    "nova-api": "nova.api.daemon:daemon",
    "nova-api-metadata": "nova.api.metadata.daemon:make_daemon",
    "nova-novncproxy": "nova.console.daemon:make_daemon",
}
"""Daemon to where it is made; modules are imported when the daemon is wanted, no sooner."""

CORE = tuple(FACTORIES)


class Cloud:
    """Daemons of one process.  ``start`` returns at once; daemons wait for each other by themselves."""

    def __init__(self, surroundings: Surroundings, daemons: Sequence[str] = CORE) -> None:
        self.surroundings = surroundings
        self.daemons: list[Daemon] = [_factory(name)(surroundings) for name in daemons]

    def start(self) -> None:
        """Start all daemons."""
        for daemon in self.daemons:
            daemon.start()

    def wait_serving(self, timeout_s: float) -> bool:
        """Wait until all daemons serve; false when that took too long."""
        clock = self.surroundings.clock
        deadline = clock.monotonic() + timeout_s
        return all(d.wait_serving(max(0.0, deadline - clock.monotonic())) for d in self.daemons)

    def stop(self, timeout_s: float = 10.0) -> None:
        """Stop all daemons, mouths first, the conductor last."""
        for daemon in reversed(self.daemons):
            daemon.stop(timeout_s)
        self.surroundings.close()


def _factory(name: str) -> Callable[[Surroundings], Daemon]:
    module, _, function = FACTORIES[name].partition(":")
    factory: Callable[[Surroundings], Daemon] = getattr(importlib.import_module(module), function)
    return factory
