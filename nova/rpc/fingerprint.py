"""What a contract looks like on the wire, as text that people read and a test compares.

A fingerprint says of each method its kind, the version that brought it, its arguments and its result, and of
each value that any of them carries the fields with types and defaults.  :func:`objections` tells what of a
change neighbours of another release would trip over.  Nothing in a daemon needs this module.
"""

from __future__ import annotations

import enum
from typing import Any

import msgspec
from msgspec import inspect

from nova.rpc.contract import Contract, Method, Version, describe, parse_version, version_text

_NEEDED = "(must be given)"
_WITHIN = "within"


class Fingerprint(msgspec.Struct, frozen=True):
    """One contract: methods and values as lines of text by name."""

    name: str
    topic: str
    version: Version
    methods: dict[str, tuple[str, ...]]
    """The head of a method, then its arguments, then ``-> result``."""
    values: dict[str, tuple[str, ...]]
    """The fields of a struct as ``name: type = default``, or the one line of an enumeration."""


def fingerprint(cls: type) -> Fingerprint:
    """Read a contract class."""
    read: Contract = describe(cls)
    values: dict[str, tuple[str, ...]] = {}
    methods = {name: _method(method, values) for name, method in sorted(read.methods.items())}
    return Fingerprint(read.name, read.topic, read.version, methods, dict(sorted(values.items())))


def _method(method: Method, values: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    lines = [f"{method.kind}, since {version_text(method.since)}, on {method.topic}"]
    if method.kind == "call":
        lines.append(f"{_WITHIN} {method.timeout_s:g} s{', idempotent' if method.idempotent else ''}")
    arguments = inspect.type_info(method.arguments)
    assert isinstance(arguments, inspect.StructType)
    lines += [_field(field, values) for field in arguments.fields]
    if method.kind == "call":
        lines.append(f"-> {_type(inspect.type_info(method.returns), values)}")
    return tuple(lines)


def _field(field: inspect.Field, values: dict[str, tuple[str, ...]]) -> str:
    words = f"{field.encode_name}: {_type(field.type, values)}"
    if field.required:
        return f"{words} {_NEEDED}"
    made: Any = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    return f"{words} = {_default(made)}"


def _default(value: Any) -> str:
    if isinstance(value, enum.Enum):
        return repr(value.value)
    return "unset" if value is msgspec.UNSET else repr(value)


_PLAIN: dict[type[inspect.Type], str] = {
    inspect.AnyType: "any",
    inspect.NoneType: "none",
    inspect.BoolType: "bool",
    inspect.IntType: "int",
    inspect.FloatType: "float",
    inspect.StrType: "str",
    inspect.BytesType: "bytes",
    inspect.DateTimeType: "datetime",
    inspect.RawType: "raw",
    inspect.CustomType: "any",
}
_LISTS = (inspect.ListType, inspect.VarTupleType, inspect.SetType, inspect.FrozenSetType)


def _type(info: inspect.Type, values: dict[str, tuple[str, ...]]) -> str:
    plain = _PLAIN.get(type(info))
    if plain is not None:
        return plain
    if isinstance(info, inspect.StructType):
        return _struct(info, values)
    if isinstance(info, inspect.EnumType):
        members = sorted(repr(member.value) for member in info.cls)
        values[info.cls.__name__] = (f"one of {', '.join(members)}",)
        return info.cls.__name__
    if isinstance(info, inspect.LiteralType):
        return " | ".join(repr(value) for value in info.values)
    if isinstance(info, inspect.UnionType):
        return " | ".join(sorted(_type(one, values) for one in info.types))
    if isinstance(info, inspect.DictType):
        return f"dict[{_type(info.key_type, values)}, {_type(info.value_type, values)}]"
    if isinstance(info, inspect.TupleType):
        return f"tuple[{', '.join(_type(one, values) for one in info.item_types)}]"
    if isinstance(info, _LISTS):
        return f"list[{_type(info.item_type, values)}]"
    raise TypeError(f"a contract cannot carry {info!r}: teach nova/rpc/fingerprint.py")


def _struct(info: inspect.StructType, values: dict[str, tuple[str, ...]]) -> str:
    name = info.cls.__name__
    if name not in values:
        values[name] = ()
        lines = [_field(field, values) for field in info.fields]
        if info.tag is not None:
            lines.insert(0, f"tagged {info.tag_field} = {info.tag!r}")
        if info.array_like:
            lines.insert(0, "written as a list")
        values[name] = tuple(lines)
    return name


def render(contract: Fingerprint) -> str:
    """Write a fingerprint as text; :func:`parse` reads it."""
    lines = [f"{contract.name} {version_text(contract.version)} on {contract.topic}"]
    for word, parts in (("method", contract.methods), ("value", contract.values)):
        for name, inner in parts.items():
            lines += ["", f"{word} {name}", *(f"    {line}" for line in inner)]
    return "\n".join(lines) + "\n"


def parse(text: str) -> Fingerprint:
    """Read what :func:`render` wrote; raise ``ValueError`` for anything else."""
    head, *rest = text.splitlines()
    name, version, _, topic = head.split(" ")
    parts: dict[str, dict[str, tuple[str, ...]]] = {"method": {}, "value": {}}
    word, inner = "", ""
    for line in rest:
        if line.startswith("    "):
            parts[word][inner] += (line[4:],)
        elif line:
            word, _, inner = line.partition(" ")
            parts[word][inner] = ()
    return Fingerprint(name, topic, parse_version(version), parts["method"], parts["value"])


def objections(before: Fingerprint, now: Fingerprint) -> list[str]:
    """Tell why a changed contract may not be written down; nothing when it may.

    A neighbour of the release before still sends and reads what is in ``before``.
    """
    if before == now or now.version[0] > before.version[0]:
        return []
    said = []
    if now.version <= before.version:
        said.append(
            f"{now.name} changed but still says version {version_text(now.version)}: raise it in "
            f"@contract(version=...) of nova/rpc/contracts, and give new methods since= that version"
        )
    said += [
        f"method {name} is gone: neighbours still call it" for name in before.methods.keys() - now.methods
    ]
    said += [
        f"method {name} is new and must be since {version_text(now.version)}"
        for name in now.methods.keys() - before.methods
        if _since(now.methods[name]) <= before.version and _topic(now.methods[name]) == now.topic
    ]
    for name in sorted(before.methods.keys() & now.methods):
        said += _line_objections(f"method {name}", before.methods[name], now.methods[name])
    for name in sorted(before.values.keys() & now.values):
        said += _line_objections(f"value {name}", before.values[name], now.values[name])
    return said


def _since(method: tuple[str, ...]) -> Version:
    return parse_version(method[0].split(", ")[1].removeprefix("since "))


def _topic(method: tuple[str, ...]) -> str:
    return method[0].split(", ")[2].removeprefix("on ")


def _line_objections(what: str, before: tuple[str, ...], now: tuple[str, ...]) -> list[str]:
    if before and before[0].startswith("one of "):
        gone = set(before[0][7:].split(", ")) - set(now[0][7:].split(", "))
        return [f"{what} lost {word}: neighbours still send it" for word in sorted(gone)]
    was, is_now = dict(_split(line) for line in before), dict(_split(line) for line in now)
    said = []
    for field, old in was.items():
        new = is_now.get(field)
        if new is None:
            said.append(f"{what} lost {field!r}: leave it, with a default, until no neighbour needs it")
        elif field != _WITHIN and not _reads(_shape(old), _shape(new)):
            said.append(f"{what}: {field!r} was {old!r} and is {new!r}: add another one beside it")
    said += [
        f"{what}: new {field!r} needs a default, neighbours do not send it"
        for field, new in is_now.items()
        if field not in was and new.endswith(_NEEDED)
    ]
    return said


def _split(line: str) -> tuple[str, str]:
    name, field, rest = line.partition(": ")
    return (name, rest) if field and " " not in name else (line.partition(" ")[0], line.partition(" ")[2])


def _reads(old: str, new: str) -> bool:
    """Tell whether a type reads what it read: it is the same, or has one kind more where it had several."""
    before, now = set(old.split(" | ")), set(new.split(" | "))
    # Our values have capitals; a plain type more is another type.
    return old == new or (len(before) > 1 and before <= now and all(word[:1].isupper() for word in now))


def _shape(rest: str) -> str:
    """Leave out whether there is a default, and which."""
    return rest.partition(" = ")[0].removesuffix(f" {_NEEDED}")
