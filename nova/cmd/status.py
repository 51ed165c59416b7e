"""nova-status: may this release be put in place?"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from nova.cmd.options import load
from nova.cmd.sentences import sentence
from nova.db import migrate, services, workflows
from nova.db.configured import opened, prepared_url

PROGRAM = "nova-status"
WORDS = ("SUCCESS", "WARNING", "FAILURE")
"""By severity, which is the exit code too."""


class Finding(NamedTuple):
    """What one check found."""

    severity: int
    check: str
    sentence: str


def main(argv: list[str] | None = None) -> int:
    """Run ``upgrade check``: 0 all well, 1 look at warnings, 2 do not upgrade yet."""
    parser = argparse.ArgumentParser(prog=PROGRAM, description=__doc__)
    parser.add_argument("--config-file", action="append", default=[], help="may be given several times")
    parser.add_argument("--config-dir", action="append", default=[])
    group = parser.add_subparsers(required=True).add_parser("upgrade").add_subparsers(required=True)
    command = group.add_parser("check", help="look at schema, daemons, work under way and images")
    command.add_argument("--json", action="store_true", help="print JSON: a list of findings")
    command.set_defaults(run=check)
    args = parser.parse_args(argv)
    options = [f"--config-file={name}" for name in args.config_file]
    options += [f"--config-dir={name}" for name in args.config_dir]
    conf = load(options, program=PROGRAM)
    code: int = args.run(conf, args)
    return code


def check(conf: Any, args: argparse.Namespace) -> int:
    """Print what each check found; return the severest."""
    found = list(_findings(conf))
    if args.json:
        told = [{**finding._asdict(), "severity": WORDS[finding.severity]} for finding in found]
        print(json.dumps(told, indent=1))
    else:
        for finding in found:
            print(f"{WORDS[finding.severity]}  {finding.check}: {finding.sentence}")
    return max(finding.severity for finding in found)


def _findings(conf: Any) -> Iterator[Finding]:
    """Run the checks in order; those of the database's content only on this release's schema."""
    schema = _guarded("schema", 2, lambda: _schema(conf))
    yield schema
    if not schema.severity:
        yield _guarded("services", 2, lambda: _services(conf))
        yield _guarded("work", 2, lambda: _work(conf))
    yield _guarded("images", 1, lambda: _images(conf))


def _guarded(name: str, severity: int, run: Callable[[], Finding]) -> Finding:
    """Run a check; one that cannot be made is a finding, too."""
    try:
        return run()
    except Exception as error:  # an operator wants every check's word, whatever another met
        told = sentence(error) or f"it could not be looked at: {type(error).__name__}: {error}"
        return Finding(severity, name, told)


def _schema(conf: Any) -> Finding:
    found, head = migrate.version(prepared_url(conf)), migrate.head()
    if found is None:
        return Finding(2, "schema", "the database is empty; run nova-manage db sync")
    if migrate.is_ahead(found):
        return Finding(2, "schema", f"it is at {found}, that of a newer release than this one ({head})")
    if found != head:
        return Finding(1, "schema", f"it is at {found}, this release has {head}; run nova-manage db sync")
    return Finding(0, "schema", found)


def _services(conf: Any) -> Finding:
    with opened(conf) as db:
        known = db.read(services.all_services)
    down = sorted(s.host for s in known if s.forced_down)
    if down:
        return Finding(1, "services", f"{len(down)} are forced down: {', '.join(down[:10])}")
    return Finding(0, "services", f"{len(known)} known")


def _work(conf: Any) -> Finding:
    """Workflows outlive an upgrade, but for one whose steps change: the fewer the better."""
    with opened(conf) as db:
        count = len(db.read(workflows.running))
    if count:
        return Finding(1, "work", f"{count} workflows have not ended; see nova-manage workflow list")
    return Finding(0, "work", "nothing is under way")


def _images(conf: Any) -> Finding:
    from nova.image import probe

    return Finding(0, "images", probe.probe(conf))


if __name__ == "__main__":
    sys.exit(main())
