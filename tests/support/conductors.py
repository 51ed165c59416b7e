"""Conductors and agents of one cloud that die, stand still and thaw: what a process would do, in one process.

A daemon's connection to the message system is a gate.  Death cuts it: what the process held is lost, its
answers never arrive, nobody hears from it again.  Frost stops it: messages pile up before it and are taken
when it thaws.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from nova.conductor.daemon import make_daemon
from nova.daemon import Daemon, Surroundings
from nova.rpc.transport import Address, Incoming, Listener, Transport, Unreachable


class Gate:
    """A transport that can be cut or stopped."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner
        self._listeners: list[Listener] = []
        self._held: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self.moves = threading.Event()
        self.moves.set()
        self.dead = False

    def cut(self) -> None:
        """Let the process die: for the others its ears are gone."""
        self.dead = True
        for listener in self._listeners:
            listener.stop()

    def freeze(self) -> None:
        """Let the process stand still."""
        self.moves.clear()

    def thaw(self) -> None:
        """Let it go on with all that came meanwhile."""
        with self._lock:
            self.moves.set()
            held, self._held = self._held, []
        for deliver in held:
            deliver()

    def passes(self) -> bool:
        """Wait while the process stands still; false when it is dead."""
        self.moves.wait()
        return not self.dead

    def call(self, to: Address, body: bytes, timeout_s: float) -> bytes:
        if not self.passes():
            raise Unreachable("this process is dead")
        answer = self._inner.call(to, body, timeout_s)
        if not self.passes():
            raise Unreachable("this process is dead")
        return answer

    def cast(self, to: Address, body: bytes) -> None:
        if not self.passes():
            raise Unreachable("this process is dead")
        self._inner.cast(to, body)

    def listen(self, topic: str, server: str, receive: Callable[[Incoming], None]) -> Listener:
        def take(incoming: Incoming) -> None:
            with self._lock:
                if not self.moves.is_set():
                    self._held.append(lambda: take(incoming))
                    return
            if not self.dead:
                receive(_Behind(self, incoming))

        listener = self._inner.listen(topic, server, take)
        self._listeners.append(listener)
        return listener

    def close(self) -> None:
        """The transport below belongs to the cloud."""


class _Behind:
    """A message whose answer passes the gate."""

    def __init__(self, gate: Gate, inner: Incoming) -> None:
        self._gate = gate
        self._inner = inner

    @property
    def body(self) -> bytes:
        return self._inner.body

    @property
    def expects_reply(self) -> bool:
        return self._inner.expects_reply

    @property
    def deliveries(self) -> int:
        return self._inner.deliveries

    def begin(self) -> None:
        if not self._gate.dead:
            self._inner.begin()

    def end(self) -> None:
        if not self._gate.dead:
            self._inner.end()

    def set_aside(self, reason: str) -> None:
        if not self._gate.dead:
            self._inner.set_aside(reason)

    def reply(self, body: bytes) -> None:
        if self._gate.passes():
            self._inner.reply(body)

    def hand_back(self) -> bool:
        return not self._gate.dead and self._inner.hand_back()


def conductor(surroundings: Surroundings, host: str) -> Daemon:
    """Make a conductor of its own host behind a gate; not started yet."""
    return behind_gate(make_daemon, surroundings, host)[0]


def behind_gate(
    make: Callable[[Surroundings], Daemon], surroundings: Surroundings, host: str
) -> tuple[Daemon, Gate]:
    """Make a daemon behind a gate, and the gate; not started yet."""
    own = surroundings.at(host)
    own.transport = gate = Gate(surroundings.transport)
    made = make(own)
    for loop in made.loops._loops.values():
        loop._run = _gated(gate, loop._run)
    return made, gate


def _gated(gate: Gate, run: Callable[[], object]) -> Callable[[], object]:
    def when_it_moves() -> object:
        return run() if gate.passes() else None

    return when_it_moves


def gate_of(daemon: Daemon) -> Gate:
    """Return a conductor's gate."""
    server: Any = daemon.parts.services[1]
    found: Gate = server._transport
    return found


def kill(daemon: Daemon) -> None:
    """End a conductor without a farewell."""
    gate_of(daemon).cut()
    engine: Any = daemon.parts.services[0]
    engine.world.engine._inbox.close()
