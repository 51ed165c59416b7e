"""``nova-manage doctor``: what is wrong with this cloud?  Reads only."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from typing import Any

import msgspec

from nova.audit.checker import Checker
from nova.audit.hosts import Agents
from nova.clock import Clock
from nova.cmd.manage import numbers
from nova.daemon import Surroundings
from nova.db.configured import opened
from nova.db.findings import Finding
from nova.rpc.contracts.compute import Compute
from nova.rpc.contracts.network import NetworkHost

_ALONE = "Hosts were not asked what they hold"


def register(commands: Any) -> None:
    """Add the command to an ``argparse`` set of commands."""
    parser = commands.add_parser(
        "doctor", help="compare all books with each other and with the hosts; find work that stands still"
    )
    parser.add_argument(
        "--wait",
        type=numbers.seconds,
        default=None,
        help="seconds between the two looks (default: two leases)",
    )
    parser.add_argument("--books-only", action="store_true", help="do not ask the hosts what they hold")
    parser.add_argument("--json", action="store_true", help="print findings as JSON")
    parser.set_defaults(run=doctor)


def doctor(conf: Any, args: argparse.Namespace) -> int:
    """Print what is wrong; 1 when anything is."""
    reason = _not_asked(conf, args)
    with ExitStack() as stack:
        db, agents = stack.enter_context(opened(conf)), None
        if reason is None:
            around = Surroundings(conf)
            stack.callback(around.close)
            agents = Agents(around.client(Compute), around.client(NetworkHost))
        found = Checker(db, Clock(), lease_s=conf.conductor.lease, agents=agents).judge(args.wait)
    _print(found, reason, as_json=args.json)
    return 1 if found else 0


def _not_asked(conf: Any, args: argparse.Namespace) -> str | None:
    """Say why hosts cannot be asked; none: they can."""
    if args.books_only:
        return f"{_ALONE}, as wished."
    if conf.transport_url.startswith("memory:"):
        return f"{_ALONE}: the daemons of this cloud live in one process, which nobody else can reach."
    return None


def _print(found: list[Finding], reason: str | None, *, as_json: bool) -> None:
    if as_json:
        told = {"findings": msgspec.to_builtins(found), "hosts_asked": reason is None}
        print(msgspec.json.format(msgspec.json.encode(told), indent=2).decode())
        return
    for finding in found:
        print(f"{finding.rule}: {finding.sentence}")
    if reason is not None:
        print(reason)
    print(f"{len(found)} findings." if found else "All is well.")
