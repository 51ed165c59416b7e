"""Contracts: what a daemon can be asked, declared once as a class with typed methods.

::

    @contract(topic="compute", version="1.1")
    class Compute:
        @cast(since="1.0")
        def run_jobs(self, ctx: RequestContext, jobs: list[Job]) -> None:
            "Do these jobs; answer each with a report."

        @call(since="1.1", timeout=60)
        def console_output(self, ctx: RequestContext, instance: InstanceId, tail: int | None) -> str: ...

A contract class is never instantiated and its methods have no bodies.  The union of several (``class
Conductor(Instances, Flavors)``) is a contract too; a part that carries its own :func:`contract` keeps its own
topic, so that its methods are served by a pool of their own.

Nothing is resolved at import: :func:`describe` reads the annotations when a client or a server is made.
"""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

CALL = "call"
CAST = "cast"
FANOUT = "fanout"

MAX_ARGUMENTS = 6
DEFAULT_TIMEOUT_S = 60.0

_MARK = "__rpc_mark__"
_HEAD = "__rpc_head__"

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

Version = tuple[int, int]


class Mark(msgspec.Struct, frozen=True):
    """What a decorator wrote on a method."""

    kind: str
    since: Version
    timeout_s: float = DEFAULT_TIMEOUT_S
    idempotent: bool = False


class Head(msgspec.Struct, frozen=True):
    """What :func:`contract` wrote on a class."""

    topic: str
    version: Version


class Parameter(msgspec.Struct, frozen=True):
    """One argument after ``ctx``; ``default`` is ``msgspec.NODEFAULT`` when it must be given."""

    name: str
    type: Any
    default: Any


class Method(msgspec.Struct, frozen=True):
    """One method of a contract, annotations resolved."""

    name: str
    kind: str
    since: Version
    topic: str
    timeout_s: float
    idempotent: bool
    parameters: tuple[Parameter, ...]
    returns: Any
    arguments: type[msgspec.Struct]
    """A struct with one field an argument: what is on the wire, so unknown arguments are ignored there."""


class Contract(msgspec.Struct, frozen=True):
    """A contract class, read once."""

    name: str
    topic: str
    version: Version
    methods: dict[str, Method]
    versions: dict[str, Version]
    """The newest version on each topic: parts with a topic of their own have a version of their own."""

    def topics(self) -> tuple[str, ...]:
        """Return every topic of this contract, its own first."""
        own = {self.topic: None} if any(m.topic == self.topic for m in self.methods.values()) else {}
        return tuple(own | dict.fromkeys(m.topic for m in self.methods.values()))


def parse_version(text: str) -> Version:
    """Read ``"1.4"``; raise ``ValueError`` for anything else."""
    major, dot, minor = text.partition(".")
    if not (dot and major.isascii() and major.isdigit() and minor.isascii() and minor.isdigit()):
        raise ValueError(f"a version is two numbers, as in '1.4', not {text!r}")
    return int(major), int(minor)


def version_text(version: Version) -> str:
    """Write a version the way it is declared."""
    return f"{version[0]}.{version[1]}"


def contract(*, topic: str, version: str) -> Callable[[type[T]], type[T]]:
    """Mark a class as a contract served on ``topic``; ``version`` grows with every change of it."""
    head = Head(topic=topic, version=parse_version(version))

    def mark(cls: type[T]) -> type[T]:
        setattr(cls, _HEAD, head)
        return cls

    return mark


def call(*, since: str, timeout: float = DEFAULT_TIMEOUT_S, idempotent: bool = False) -> Callable[[F], F]:
    """Mark a method whose caller waits for the answer, at most ``timeout`` seconds.

    ``idempotent`` says that doing it twice changes nothing, so that a lost answer may be asked for again at
    any server of the topic; other calls are only sent again when a double can be recognised.
    """
    return _marker(Mark(CALL, parse_version(since), float(timeout), idempotent))


def cast(*, since: str) -> Callable[[F], F]:
    """Mark a method that is sent to one server without waiting for it to be done."""
    return _marker(Mark(CAST, parse_version(since)))


def fanout(*, since: str) -> Callable[[F], F]:
    """Mark a method that is sent to every server of the topic that listens now."""
    return _marker(Mark(FANOUT, parse_version(since)))


def _marker(mark: Mark) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        setattr(function, _MARK, mark)
        return function

    return decorate


def is_contract(cls: type) -> bool:
    """Tell whether a class was marked by :func:`contract` itself."""
    return _HEAD in cls.__dict__


@functools.cache
def describe(cls: type) -> Contract:
    """Read a contract class; raise ``TypeError`` with the reason when its declaration is wrong."""
    head: Head | None = cls.__dict__.get(_HEAD)
    if head is None:
        raise TypeError(f"{cls.__name__} is not a contract: @contract(topic=..., version=...) is missing")
    methods: dict[str, Method] = {}
    versions = {head.topic: head.version}
    for name in sorted(n for n in dir(cls) if not n.startswith("__")):
        owner = next(base for base in cls.__mro__ if name in base.__dict__)
        function = owner.__dict__[name]
        mark: Mark | None = getattr(function, _MARK, None)
        if mark is None:
            raise TypeError(f"{owner.__name__}.{name} is neither call, cast nor fanout")
        own: Head = owner.__dict__.get(_HEAD, head)
        if mark.since[0] != own.version[0] or mark.since > own.version:
            raise TypeError(
                f"{owner.__name__}.{name} is since {version_text(mark.since)}, "
                f"but the contract is at {version_text(own.version)}"
            )
        methods[name] = _read_method(owner.__name__, function, mark, own.topic)
        versions[own.topic] = max(own.version, versions.get(own.topic, own.version))
    return Contract(cls.__name__, head.topic, head.version, methods, versions)


def _read_method(owner: str, function: Callable[..., Any], mark: Mark, topic: str) -> Method:
    name = function.__name__
    parameters = list(inspect.signature(function).parameters.values())
    if len(parameters) < 2 or parameters[1].name != "ctx":
        raise TypeError(f"{owner}.{name} must take self and ctx first")
    hints = typing.get_type_hints(function, include_extras=True)
    if len(parameters) - 2 > MAX_ARGUMENTS:
        raise TypeError(f"{owner}.{name} takes more than {MAX_ARGUMENTS} arguments: make them a value")
    read: list[Parameter] = []
    for parameter in parameters[2:]:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise TypeError(f"{owner}.{name}: *{parameter.name} has no type on the wire")
        if parameter.name not in hints:
            raise TypeError(f"{owner}.{name}: {parameter.name} has no type")
        default = msgspec.NODEFAULT if parameter.default is parameter.empty else parameter.default
        read.append(Parameter(parameter.name, hints[parameter.name], default))
    if "return" not in hints:
        raise TypeError(f"{owner}.{name} does not say what it returns")
    returns = hints["return"]
    if mark.kind != CALL and returns is not type(None):
        raise TypeError(f"{owner}.{name} is a {mark.kind} and cannot return anything")
    fields = [
        (p.name, p.type) if p.default is msgspec.NODEFAULT else (p.name, p.type, p.default) for p in read
    ]
    arguments = msgspec.defstruct(f"{owner}_{name}", fields, frozen=True, omit_defaults=True)
    return Method(
        name=name,
        kind=mark.kind,
        since=mark.since,
        topic=topic,
        timeout_s=mark.timeout_s,
        idempotent=mark.idempotent,
        parameters=tuple(read),
        returns=returns,
        arguments=arguments,
    )
