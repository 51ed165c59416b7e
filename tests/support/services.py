"""Runs the daemons of ``nova_tools.services`` for a test: a scratch directory, free ports, a certain end."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nova_tools.processes import Program, Supervisor


@contextmanager
def scratch_directory(name: str) -> Iterator[Path]:
    """Give a directory that other users may enter (pytest's own are closed to them)."""
    path = Path(tempfile.mkdtemp(prefix=f"nova-test-{name}-", dir="/var/tmp"))
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def running(directory: Path, program: Program) -> Iterator[Supervisor]:
    """Run a program while the block runs."""
    supervisor = Supervisor(directory / "run", directory / "logs")
    try:
        supervisor.start(program)
        yield supervisor
    finally:
        supervisor.end(program)
