#!/usr/bin/env python3
"""Asks the scheduler about a cloud that stands in a text file: where would these servers go, and why?

Usage: tools/simulate.py [--config-file nova.conf] [--seed N] [--explain] [--json] cloud.toml

The file lists hosts, aggregates and requests; names may hold a range, ``rack1-[01-20]``::

    [[hosts]]
    name = "rack1-[01-20]"
    vcpus = 32
    ram_mb = 131072
    disk_gb = 2000
    used_ram_mb = 4096

    [[aggregates]]
    hosts = ["rack1-[01-05]"]
    metadata = { ssd = "true", availability_zone = "east" }

    [[requests]]
    name = "web"
    count = 30
    flavor = { vcpus = 2, ram_mb = 4096, root_gb = 20, extra_specs = {} }
    group = { policy = "anti-affinity" }

A host takes the facts of a host's inventory and view, a request those of a placement request; requests are
answered in order, each seeing the earlier ones.  Ends with 1 when one of them found no place.
"""

from __future__ import annotations

import argparse
import itertools
import random
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import msgspec  # noqa: E402

from nova import conf  # noqa: E402
from nova.conf import scheduler  # noqa: E402
from nova.objects.host import Aggregate, HostInventory, HostView  # noqa: E402
from nova.objects.placement import Decision, PlacementRequest  # noqa: E402
from nova.scheduler.host_table import HostTable  # noqa: E402
from nova.scheduler.pipeline import place  # noqa: E402

_RANGE = re.compile(r"\[(\d+)-(\d+)\]")
_OF_VIEW = {field.name for field in msgspec.structs.fields(HostView)} - {"host", "node", "inventory"}
_OF_INVENTORY = {field.name for field in msgspec.structs.fields(HostInventory)}
_OF_REQUEST = {field.name for field in msgspec.structs.fields(PlacementRequest)}


class BadCloud(Exception):
    """The file does not describe a cloud; the message says where."""


def expand(name: str) -> Iterator[str]:
    """Write out a name's ranges, leading zeros kept."""
    found = _RANGE.search(name)
    if found is None:
        yield name
        return
    first, last = found.groups()
    for number in range(int(first), int(last) + 1):
        yield from expand(f"{name[: found.start()]}{number:0{len(first)}}{name[found.end() :]}")


def read(text: str) -> tuple[HostTable, list[PlacementRequest]]:
    """Read a description; raise :class:`BadCloud` when it is wrong."""
    try:
        cloud = tomllib.loads(text)
        aggregates = [_aggregate(n, entry) for n, entry in enumerate(cloud.get("aggregates", ()), 1)]
        hosts = [host for entry in cloud.get("hosts", ()) for host in _hosts(entry, aggregates)]
        requests = [_request(n, entry) for n, entry in enumerate(cloud.get("requests", ()), 1)]
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, KeyError, TypeError) as error:
        raise BadCloud(f"{type(error).__name__}: {error}") from error
    return HostTable(hosts, aggregates), requests


def _aggregate(number: int, entry: dict[str, Any]) -> Aggregate:
    names = tuple(itertools.chain.from_iterable(map(expand, entry.get("hosts", ()))))
    known = {"id": number, "uuid": f"aggregate-{number}", "name": f"aggregate-{number}"}
    return msgspec.convert(known | entry | {"hosts": names}, Aggregate)


def _hosts(entry: dict[str, Any], aggregates: Sequence[Aggregate]) -> Iterator[HostView]:
    facts = {key: value for key, value in entry.items() if key != "name"}
    _refuse_unknown("host", facts, _OF_VIEW | _OF_INVENTORY)
    of_view = {key: value for key, value in facts.items() if key in _OF_VIEW}
    sizes = {"hypervisor_type": "qemu", "supported": [["x86_64", "qemu", "hvm"]]}
    sizes |= {key: value for key, value in facts.items() if key in _OF_INVENTORY}
    for name in expand(entry["name"]):
        mine = [a for a in aggregates if name in a.hosts]
        zones = [a.zone for a in mine if a.zone] or ["nova"]
        known: dict[str, Any] = {"aggregates": [a.id for a in mine], "zone": zones[0]}
        inventory = {"host": name, "node": name} | sizes
        yield msgspec.convert(
            known | of_view | {"host": name, "node": name, "inventory": inventory}, HostView
        )


def _request(number: int, entry: dict[str, Any]) -> PlacementRequest:
    facts = dict(entry)
    name, count = facts.pop("name", f"request-{number}"), facts.pop("count", 1)
    _refuse_unknown("request", facts, _OF_REQUEST)
    known: dict[str, Any] = {
        "id": name,
        "project_id": "project",
        "instances": [f"{name}-{n}" for n in range(count)],
    }
    facts["flavor"] = {"id": name, "name": name} | facts["flavor"]
    if "group" in facts:
        facts["group"] = {"id": name} | facts["group"]
    if "image" in facts:
        facts["image"] = {"id": name} | facts["image"]
    return msgspec.convert(known | facts, PlacementRequest)


def _refuse_unknown(what: str, facts: dict[str, Any], known: set[str]) -> None:
    if unknown := sorted(set(facts) - known):
        raise BadCloud(f"a {what} has no {', '.join(unknown)}")


def tell(decision: Decision, *, explain: bool) -> Iterator[str]:
    """Put a decision into lines."""
    hosts = Counter(choice.host for choice in decision.choices)
    spread = ", ".join(f"{host} x{n}" if n > 1 else host for host, n in hosts.items())
    yield f"{decision.id}: {spread or 'no valid host'}"
    if not decision.choices or explain:
        yield f"    {decision.explanation.sentence()}"
    if not explain:
        return
    for verdict in decision.explanation.filters:
        yield f"    {verdict.name:<30} {verdict.before:>7} -> {verdict.after}"
    for host in decision.explanation.best:
        parts = ", ".join(f"{name} {share:g}" for name, share in host.parts.items())
        yield f"    {host.host:<30} {host.score:g}" + (f" ({parts})" if parts else "")


def main(argv: Sequence[str] | None = None) -> int:
    """Read, place, tell."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("cloud", type=Path)
    parser.add_argument(
        "--config-file", action="append", default=[], help="filters and weighers of this file"
    )
    parser.add_argument("--seed", type=int, default=0, help="another one breaks ties another way")
    parser.add_argument("--explain", action="store_true", help="say what each filter and weigher did")
    parser.add_argument("--json", action="store_true", help="print the decisions as JSON, one a line")
    options = parser.parse_args(argv)
    try:
        table, requests = read(options.cloud.read_text(encoding="utf-8"))
    except (OSError, BadCloud) as error:
        print(f"{options.cloud}: {error}", file=sys.stderr)
        return 2
    settings = scheduler.read(conf.load(files=options.config_file))
    decisions = place(table, requests, settings, random.Random(options.seed))
    for decision in decisions:
        if options.json:
            print(msgspec.json.encode(decision).decode())
        else:
            print(*tell(decision, explain=options.explain), sep="\n")
    return 0 if all(decision.choices for decision in decisions) else 1


if __name__ == "__main__":
    sys.exit(main())
