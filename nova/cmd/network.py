"""nova-network: makes the networks of one host."""

from __future__ import annotations

import sys

from nova import log, process
from nova.cmd.options import load, understood
from nova.daemon import Surroundings
from nova.network.daemon import make_daemon
from nova.network.endpoint import BINARY


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
