"""The options at the start of a program: what cannot be read or understood is told in a sentence."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from oslo_config import cfg

from nova import conf
from nova.errors.operating import OptionNotUnderstood


def load(argv: Sequence[str], *, program: str) -> cfg.ConfigOpts:
    """Return the configuration as :func:`nova.conf.load` does; ends the program (code 2) when it is wrong."""
    try:
        return conf.load(argv, program=program)
    except (cfg.Error, OSError) as error:
        words = " ".join(str(error).split()).rstrip(".")
        print(f"{program}: the options cannot be read: {words}.", file=sys.stderr)
        sys.exit(2)


@contextmanager
def understood(program: str) -> Iterator[None]:
    """Build the parts of a daemon in such a block: an option that means nothing ends the program (code 2)."""
    try:
        yield
    except OptionNotUnderstood as error:
        print(f"{program}: {error.sentence()}.", file=sys.stderr)
        sys.exit(2)
