"""Delays and faults on order.

A script is a list of rules.  A call of the driver goes through every rule that names it: first the delays,
then the first fault.  Rules name methods of the driver (``spawn``, ``power_off``, ...), hosts, and instances
by id or name, all with shell patterns::

    [{"method": "spawn", "host": "fake-3", "fault": "fail", "times": 1, "error": "BuildFailed"},
     {"method": "*", "instance": "slow-*", "delay_s": 2.5},
     {"method": "destroy", "fault": "hang"},
     {"method": "power_on", "fault": "fail", "when": "after"},
     {"method": "power_state", "fault": "lie", "says": "SHUTDOWN"}]
"""

from __future__ import annotations

import fnmatch
import pathlib
import threading
from typing import Literal

import msgspec

from nova.clock import Clock
from nova.errors import NovaError, virt
from nova.objects.base import Value
from nova.objects.ids import HostName, InstanceId
from nova.objects.states import Power

Fault = Literal["fail", "hang", "lie", "break"]


class Rule(Value, frozen=True, kw_only=True):
    """What shall go otherwise than well."""

    method: str = "*"
    host: str = "*"
    instance: str = "*"
    delay_s: float = 0.0
    fault: Fault | None = None
    """``fail``: a foreseen error; ``break``: a surprise (RuntimeError); ``hang``: do not come back until the
    rule is gone; ``lie``: say that it is done and do nothing (questions: answer ``says``)."""
    when: Literal["before", "after"] = "before"
    """``after``: the deed is done, then it fails or hangs."""
    skip: int = 0
    """Leave so many matching calls alone first."""
    times: int | None = None
    """How often the fault happens; none = always."""
    error: str = "ActionFailed"
    """Class of the foreseen error (``nova.errors.virt``)."""
    says: str | None = None

    def matches(self, method: str, host: str, instance: str, name: str) -> bool:
        """Tell whether a call is meant."""
        match = fnmatch.fnmatchcase
        return (
            match(method, self.method)
            and match(host, self.host)
            and (match(instance, self.instance) or (bool(name) and match(name, self.instance)))
        )


_decode = msgspec.json.Decoder(list[Rule]).decode
_LOOK_EVERY_S = 0.2


class Script:
    """Rules in force, from a list or a file; may be changed while calls are under way."""

    def __init__(
        self, clock: Clock, rules: list[Rule] | None = None, path: pathlib.Path | None = None
    ) -> None:
        self._clock = clock
        self._path = path
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._rules: list[Rule] = list(rules or ())
        self._seen: dict[int, int] = {}
        self._stamp: tuple[int, int] | None = None
        self._look_at = 0.0

    @property
    def is_active(self) -> bool:
        """Whether there are rules, or a file in which some may appear."""
        return bool(self._rules) or self._path is not None

    def replace(self, rules: list[Rule]) -> None:
        """Put other rules in force; counters start anew and what hangs comes back."""
        with self._changed:
            self._rules = list(rules)
            self._seen = {}
            self._changed.notify_all()

    def find(
        self, method: str, host: HostName, instance: InstanceId | str = "", name: str = ""
    ) -> Rule | None:
        """Wait out the delays of a call and return the fault it meets, if any."""
        if self._path is not None:
            self._look(self._path)
        if not self._rules:
            return None
        delay = 0.0
        fault: Rule | None = None
        with self._lock:
            for index, rule in enumerate(self._rules):
                if not rule.matches(method, host, instance, name):
                    continue
                delay += rule.delay_s
                if rule.fault is not None and fault is None and self._is_due(index, rule):
                    fault = rule
        if delay:
            self._clock.sleep(delay)
        return fault

    def suffer(self, rule: Rule, method: str, host: HostName, instance: InstanceId | str) -> None:
        """Fail, break or hang as a rule says; a hang ends when its rule is gone."""
        if rule.fault == "hang":
            with self._changed:
                while rule in self._rules:
                    self._changed.wait(_LOOK_EVERY_S)
                    if self._path is not None:
                        self._read(self._path)
            return
        if rule.fault == "break":
            raise RuntimeError(f"scripted surprise in {method}")
        if rule.fault == "fail":
            raise _error(rule, method, host, instance)

    def _is_due(self, index: int, rule: Rule) -> bool:
        seen = self._seen[index] = self._seen.get(index, 0) + 1
        return seen > rule.skip and (rule.times is None or seen <= rule.skip + rule.times)

    def _look(self, path: pathlib.Path) -> None:
        now = self._clock.monotonic()
        if now >= self._look_at:
            self._look_at = now + _LOOK_EVERY_S
            with self._lock:
                self._read(path)

    def _read(self, path: pathlib.Path) -> None:
        try:
            stat = path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size)
            if stamp == self._stamp:
                return
            rules = _decode(path.read_bytes())
        except FileNotFoundError:
            stamp, rules = (0, 0), []
            if stamp == self._stamp:
                return
        except msgspec.MsgspecError:
            # half written by an editor: the old rules stay until it is whole
            return
        self._stamp, self._rules, self._seen = stamp, rules, {}
        self._changed.notify_all()


def told_power(rule: Rule) -> Power:
    """Return the power state that a lying rule tells."""
    return Power.__members__.get(rule.says or "", Power.NOSTATE)


def _error(rule: Rule, method: str, host: HostName, instance: InstanceId | str) -> NovaError:
    reason = f"scripted fault in {method}"
    kind = getattr(virt, rule.error, None)
    if not (isinstance(kind, type) and issubclass(kind, NovaError)):
        return virt.ActionFailed(
            action=method, host=host, reason=f"{reason} (no error is called {rule.error})"
        )
    facts = {
        "instance": instance,
        "host": host,
        "action": method,
        "image": "",
        "resource": "",
        "capability": "",
    }
    return kind(**facts, reason=reason)
