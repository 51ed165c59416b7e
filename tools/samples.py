#!/usr/bin/env python3
"""Writes the sample files of ``etc/nova``: every option and every policy rule with its default.

Usage: tools/samples.py [--check]

With ``--check`` nothing is written: it ends with 1 if a file is not as it should be.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from nova import conf  # noqa: E402
from nova.api.compute import registry  # noqa: E402
from nova.api.wsgi.operation import rules_of  # noqa: E402
from nova.conf import options  # noqa: E402
from nova.policy.sample import sample as policy_sample  # noqa: E402

FOLDER = Path("etc/nova")


def samples() -> dict[str, str]:
    """Return the texts of the sample files by file name."""
    return {
        "nova.conf.sample": options.sample(conf.declared()),
        "policy.yaml.sample": policy_sample(rules_of(registry.operations())),
    }


def stale(root: Path = ROOT) -> list[str]:
    """Return the names of the files that are not as they should be."""
    found = []
    for name, text in samples().items():
        path = root / FOLDER / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            found.append(name)
    return found


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing, only look")
    if parser.parse_args(argv).check:
        names = stale()
        for name in names:
            print(f"{FOLDER / name} is not up to date: run tools/samples.py", file=sys.stderr)
        return 1 if names else 0
    (ROOT / FOLDER).mkdir(parents=True, exist_ok=True)
    for name, text in samples().items():
        (ROOT / FOLDER / name).write_text(text, encoding="utf-8")
        print(FOLDER / name)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
