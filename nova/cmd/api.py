"""nova-api: speaks the Compute API."""

from __future__ import annotations

import sys

from nova import log, process
from nova.api.daemon import daemon
from nova.cmd.options import load, understood
from nova.daemon import Surroundings

PROGRAM = "nova-api"


def main() -> int:
    """Run until told to end."""
    conf = load(sys.argv[1:], program=PROGRAM)
    log.setup(conf, PROGRAM)
    with understood(PROGRAM):
        surroundings = Surroundings(conf)
        built = daemon(surroundings)
    return process.run(PROGRAM, conf, [built], surroundings.registry)


if __name__ == "__main__":
    sys.exit(main())
