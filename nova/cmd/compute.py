"""nova-compute: does jobs on this host's hypervisor."""

from __future__ import annotations

import sys

from nova import log, process
from nova.cmd.options import load, understood
from nova.compute.daemon import make_daemon
from nova.compute.host import BINARY
from nova.daemon import Surroundings


def main() -> int:
    """Run until told to end."""
    conf = load(sys.argv[1:], program=BINARY)
    log.setup(conf, BINARY)
    with understood(BINARY):
        surroundings = Surroundings(conf)
        built = make_daemon(surroundings)
    return process.run(BINARY, conf, [built], surroundings.registry)


if __name__ == "__main__":
    sys.exit(main())
