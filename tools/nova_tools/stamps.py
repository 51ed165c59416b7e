"""Remembers which steps are done, and with which inputs: a second run goes on where the first ended."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path


def fingerprint(*inputs: object) -> str:
    """Return a short hash of what a step depends on; a path stands for the content of its file."""
    digest = hashlib.sha256()
    for item in inputs:
        digest.update(item.read_bytes() if isinstance(item, Path) else repr(item).encode())
        digest.update(b"\0")
    return digest.hexdigest()[:20]


@dataclass(frozen=True)
class Stamps:
    """One small file for each step that was finished."""

    directory: Path

    def holds(self, step: str, inputs: str) -> bool:
        """Tell whether the step was finished with just these inputs."""
        try:
            return (self.directory / step).read_text() == inputs
        except (OSError, ValueError):
            return False

    def put(self, step: str, inputs: str) -> None:
        """Remember that the step is finished; written so that a crash leaves either the old or the new."""
        self.directory.mkdir(parents=True, exist_ok=True)
        fresh = self.directory / f".{step}.new"
        fresh.write_text(inputs)
        fresh.replace(self.directory / step)

    def remove(self, step: str) -> None:
        """Forget a step: it will run again."""
        (self.directory / step).unlink(missing_ok=True)
