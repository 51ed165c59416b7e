"""What belongs to the process in which daemons live: signals, systemd, the health listener.

``SIGTERM`` and ``SIGINT`` drain and end (a second one ends at once), ``SIGHUP`` reads the options again.
The interpreter writes the number of a signal into a socket that the main thread reads, so that everything
happens in an ordinary thread, green or native.
"""

from __future__ import annotations

import gc
import logging
import os
import resource
import signal
import socket
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nova import health, log
from nova.daemon import Daemon, State

if TYPE_CHECKING:
    from oslo_config import cfg
    from prometheus_client import CollectorRegistry

_LOG = logging.getLogger(__name__)


def notify(message: str) -> bool:
    """Tell systemd something (``READY=1``); false when nobody asked for it.

    One datagram to the socket named by ``NOTIFY_SOCKET``; a leading ``@`` means the abstract namespace.
    """
    path = os.environ.get("NOTIFY_SOCKET", "")
    if not path:
        return False
    address = "\0" + path[1:] if path.startswith("@") else path
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        try:
            sock.sendto(message.encode(), address)
        except OSError as error:
            _LOG.warning("systemd could not be told %s: %s", message.partition("=")[0], error)
            return False
    return True


def watchdog_s() -> float | None:
    """Return how often systemd wants to hear from us, or none."""
    if os.environ.get("WATCHDOG_PID") not in (None, "", str(os.getpid())):
        return None
    try:
        return int(os.environ.get("WATCHDOG_USEC", "0")) / 1e6 or None
    except ValueError:
        return None


class Process:
    """Runs daemons until it is told to end."""

    def __init__(
        self, program: str, conf: cfg.ConfigOpts, daemons: Sequence[Daemon], registry: CollectorRegistry
    ) -> None:
        self.program = program
        self._conf = conf
        self._daemons = daemons
        self._registry = registry
        self._signals, self._wakeup = socket.socketpair()
        self._ended = threading.Event()
        self._ready_told = False
        self.health: health.HealthServer | None = None

    def run(self) -> int:
        """Live; return the exit code (1 when work was left behind)."""
        for wanted in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(wanted, _on_signal)
        _allow_many_files()
        self._wakeup.setblocking(False)
        signal.set_wakeup_fd(self._wakeup.fileno(), warn_on_full_buffer=False)
        self._start_health()
        for daemon in self._daemons:
            daemon.start()
        watcher = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        watcher.start()
        while True:
            number = self._signals.recv(1)[0]
            if number == signal.SIGHUP:
                self.reload()
            elif number in (signal.SIGTERM, signal.SIGINT):
                return 0 if self._end() else 1

    def _start_health(self) -> None:
        group = self._conf.health
        if not group.enabled:
            return
        port = group.port if group.port is not None else int(group.ports.get(self.program, 0))
        pages = {
            "/healthz": self._healthz,
            "/readyz": self._readyz,
            "/loops": self._loops,
            "/metrics": health.metrics_page(self._registry),
        }
        self.health = health.HealthServer(group.address, port, pages)
        self.health.start()

    def _readyz(self) -> health.Answer:
        daemons = {
            f"{daemon.name}@{daemon.host}": {"state": daemon.state, "waiting_for": daemon.waiting_for}
            for daemon in self._daemons
        }
        ready = self.ready()
        return health.as_json(200 if ready else 503, {"ready": ready, "daemons": daemons})

    def _healthz(self) -> health.Answer:
        stuck = self.stuck()
        return health.as_json(503 if stuck else 200, {"healthy": not stuck, "stuck": stuck})

    def _loops(self) -> health.Answer:
        return health.as_json(200, {f"{d.name}@{d.host}": d.loop_states() for d in self._daemons})

    def ready(self) -> bool:
        """Tell whether every daemon serves."""
        return all(daemon.state is State.SERVING for daemon in self._daemons)

    def stuck(self) -> list[str]:
        """Name the loops whose present run takes far longer than it should."""
        after_s = self._conf.health.stuck_after
        return [name for daemon in self._daemons for name in daemon.loops.stuck(after_s)]

    def _watch(self) -> None:
        """Tell systemd when all serve, and that we live."""
        every = watchdog_s()
        while not self._ended.wait(0.1 if not self._ready_told else (every or 20.0) / 2):
            if not self._ready_told and self.ready():
                self._ready_told = True
                # What was made until now stays: the collector of cycles need not walk it again and again.
                gc.collect()
                gc.freeze()
                notify("READY=1\nSTATUS=serving")
                _LOG.info("%s is ready", self.program)
            if every is not None and not self.stuck():
                notify("WATCHDOG=1")

    def reload(self) -> None:
        """Read the options again and give them to the daemons that want them."""
        notify("RELOADING=1")
        try:
            if not self._conf.reload_config_files():
                raise ValueError("oslo.config refused the files")
            log.setup(self._conf, self.program)
            for daemon in self._daemons:
                daemon.reload()
            self._conf.log_opt_values(_LOG, logging.DEBUG)
            _LOG.info("options were read again")
        except Exception:  # a typing error in a file must not end a running cloud
            _LOG.exception("the options could not be read again; the old ones stay")
        notify("READY=1")

    def _end(self) -> bool:
        """Drain all daemons side by side, within the configured time; a second signal ends the wait."""
        notify("STOPPING=1")
        self._ended.set()
        threads = [
            threading.Thread(target=daemon.stop, name=f"stop-{daemon.name}", daemon=True)
            for daemon in self._daemons
        ]
        for thread in threads:
            thread.start()
        watcher = threading.Thread(target=self._impatient, name="second-signal", daemon=True)
        watcher.start()
        for thread in threads:
            thread.join(self._conf.graceful_shutdown_timeout + 5)
        if self.health is not None:
            self.health.stop()
        return all(daemon.state is State.STOPPED for daemon in self._daemons)

    def _impatient(self) -> None:
        while self._signals.recv(1)[0] not in (signal.SIGTERM, signal.SIGINT):
            pass
        _LOG.warning("told to end a second time: ending at once")
        logging.shutdown()
        os._exit(1)


def _allow_many_files() -> None:
    """Allow as many descriptors as we may: a connection costs one, and shells hand on a low soft limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _on_signal(_number: int, _frame: object) -> None:
    """Do nothing: the interpreter has written the number where the main thread reads it."""


def run(program: str, conf: cfg.ConfigOpts, daemons: Sequence[Daemon], registry: CollectorRegistry) -> int:
    """Run daemons as a program: the body of every ``main``; logging is set up before by the caller."""
    return Process(program, conf, daemons, registry).run()
