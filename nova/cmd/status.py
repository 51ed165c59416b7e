"""nova-status: may this release be put in place?"""

from __future__ import annotations

import argparse
import sys
from typing import Any

from nova.conf import load
from nova.db import migrate, services
from nova.db.configured import database, prepared_url

PROGRAM = "nova-status"


def main(argv: list[str] | None = None) -> int:
    """Run ``upgrade check``: 0 all well, 1 look at warnings, 2 do not upgrade yet."""
    parser = argparse.ArgumentParser(prog=PROGRAM, description=__doc__)
    parser.add_argument("--config-file", action="append", default=[])
    group = parser.add_subparsers(required=True).add_parser("upgrade").add_subparsers(required=True)
    group.add_parser("check", help="look at schema and daemons").set_defaults(run=check)
    args = parser.parse_args(argv)
    conf = load([f"--config-file={name}" for name in args.config_file], program=PROGRAM)
    code: int = args.run(conf)
    return code


def check(conf: Any) -> int:
    """Print a line for each check."""
    found = migrate.version(prepared_url(conf))
    if found is None:
        print("FAILURE  schema: the database is empty; run nova-manage db sync")
        return 2
    code = 0
    if found == migrate.head():
        print(f"SUCCESS  schema: {found}")
    else:
        print(
            f"WARNING  schema: it is at {found}, this release has {migrate.head()}; run nova-manage db sync"
        )
        code = 1
    db = database(conf)
    known = db.read(services.all_services) if not code else []
    db.close()
    down = [s for s in known if s.forced_down]
    if down:
        print(f"WARNING  services: {len(down)} are forced down")
        code = 1
    else:
        print(f"SUCCESS  services: {len(known)} known")
    return code


if __name__ == "__main__":
    sys.exit(main())
