"""What is installed from a wheel can make its schema: the migrations travel with it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

TREE = Path(__file__).parents[2]
_BUILD = "import sys, setuptools.build_meta as b; b.build_wheel(sys.argv[1])"
_USE = "import sys; from nova.db import migrate; print(migrate.__file__, migrate.upgrade(sys.argv[1]))"


def test_a_wheel_brings_its_migrations(tmp_path: Path) -> None:
    source, installed = tmp_path / "source", tmp_path / "installed"
    source.mkdir()
    for name in ("nova", "alembic", "setup.cfg", "pyproject.toml", "README.rst", "LICENSE"):
        if (TREE / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(TREE / name, source / name, symlinks=True, ignore=ignored)
        elif (TREE / name).exists():
            shutil.copy(TREE / name, source)
    _python(source, "-c", _BUILD, str(tmp_path))
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    told = _python(installed, "-c", _USE, f"sqlite:///{tmp_path}/nova.db")
    assert told.startswith(str(installed)) and told.split()[-1] != "None"


def _python(directory: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, *words], cwd=directory, capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]
