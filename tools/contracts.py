#!/usr/bin/env python3
"""Writes down what the contracts between daemons look like on the wire: ``tests/golden/contracts``.

Usage: tools/contracts.py [--check]

A change that neighbours of another release would trip over, or that nobody gave a version, is refused with
the reason.  With ``--check`` nothing is written: it ends with 1 if a file is not as it should be.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from nova.rpc import contracts, fingerprint  # noqa: E402
from nova.rpc.contract import is_contract  # noqa: E402

FOLDER = Path("tests/golden/contracts")


def classes() -> list[type]:
    """Return every contract of the tree that is no part of another, by name."""
    found: dict[str, type] = {}
    for module in pkgutil.walk_packages(contracts.__path__, f"{contracts.__name__}."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and is_contract(value):
                found[value.__name__] = value
    parts = {base for cls in found.values() for base in cls.__mro__[1:]}
    return [cls for _, cls in sorted(found.items()) if cls not in parts]


def findings(root: Path = ROOT) -> tuple[list[str], list[str]]:
    """Return what may not be written, and the names of the files that are not up to date."""
    refused, stale = [], []
    for cls in classes():
        now = fingerprint.fingerprint(cls)
        path = root / FOLDER / f"{now.name}.txt"
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        if text:
            refused += fingerprint.objections(fingerprint.parse(text), now)
        if text != fingerprint.render(now):
            stale.append(path.name)
    known = {f"{cls.__name__}.txt" for cls in classes()}
    refused += [
        f"{path.name}: the contract is gone; delete the file if no neighbour needs it"
        for path in sorted((root / FOLDER).glob("*.txt"))
        if path.name not in known
    ]
    return refused, stale


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing, only look")
    check = parser.parse_args(argv).check
    refused, stale = findings()
    for line in refused:
        print(line, file=sys.stderr)
    if check:
        for name in stale:
            print(f"{FOLDER / name} is not up to date: run tools/contracts.py", file=sys.stderr)
    if refused or check:
        return 1 if refused or stale else 0
    (ROOT / FOLDER).mkdir(parents=True, exist_ok=True)
    for cls in classes():
        path = FOLDER / f"{cls.__name__}.txt"
        (ROOT / path).write_text(fingerprint.render(fingerprint.fingerprint(cls)), encoding="utf-8")
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
