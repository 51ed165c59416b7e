"""What is installed from a wheel: its migrations travel with it, and systemd is content with its units."""

from __future__ import annotations

import configparser
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

TREE = Path(__file__).parents[2]
_BUILD = "import sys, setuptools.build_meta as b; b.build_wheel(sys.argv[1])"
_USE = "import sys; from nova.db import migrate; print(migrate.__file__, migrate.upgrade(sys.argv[1]))"
UNITS = sorted(path.name for path in (TREE / "etc/systemd").glob("*.service"))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where a wheel of this tree is unpacked."""
    folder = tmp_path_factory.mktemp("wheel")
    source, target = folder / "source", folder / "installed"
    source.mkdir()
    for name in ("nova", "alembic", "setup.cfg", "pyproject.toml", "README.rst", "LICENSE"):
        if (TREE / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(TREE / name, source / name, symlinks=True, ignore=ignored)
        elif (TREE / name).exists():
            shutil.copy(TREE / name, source)
    _python(source, "-c", _BUILD, str(folder))
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    return target


def test_a_wheel_brings_its_migrations(installed: Path, tmp_path: Path) -> None:
    told = _python(installed, "-c", _USE, f"sqlite:///{tmp_path}/nova.db")
    assert told.startswith(str(installed)) and told.split()[-1] != "None"


@pytest.fixture
def root(installed: Path, tmp_path: Path) -> Path:
    """Return a root directory with systemd's own units, ours, and the programs that the wheel brings."""
    shutil.copytree("/usr/lib/systemd/system", tmp_path / "usr/lib/systemd/system", symlinks=True)
    shutil.copytree(TREE / "etc/systemd", tmp_path / "etc/systemd/system")
    (tmp_path / "usr/bin").mkdir(parents=True)
    for name in ("bin", "lib"):
        (tmp_path / name).symlink_to(f"usr/{name}")
    (metadata,) = installed.glob("*.dist-info")
    declared = configparser.ConfigParser()
    declared.read(metadata / "entry_points.txt")
    for name in ("kill", *declared["console_scripts"]):
        shutil.copy("/bin/true", tmp_path / "usr/bin" / name)
    return tmp_path


needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")


def _verify(root: Path, *units: str) -> str:
    done = subprocess.run(
        ["systemd-analyze", "verify", f"--root={root}", *units], capture_output=True, text=True, timeout=120
    )
    return done.stdout + done.stderr


@needs_systemd
def test_systemd_is_content_with_every_unit(root: Path) -> None:
    assert _verify(root, *UNITS) == ""


@needs_systemd
def test_systemd_would_say_what_is_wrong(root: Path) -> None:
    (root / "usr/bin/nova-api").unlink()
    unit = root / "etc/systemd/system/nova-compute.service"
    unit.write_text(unit.read_text().replace("KillMode=", "KillMood="))
    said = _verify(root, "nova-api.service", "nova-compute.service")
    assert "nova-api is not executable" in said
    assert "Unknown key 'KillMood'" in said


@needs_systemd
def test_the_account_and_its_folders_are_made(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    for program, file in (("sysusers", "sysusers.d"), ("tmpfiles", "tmpfiles.d")):
        create = ["--create"] if program == "tmpfiles" else []
        done = subprocess.run(
            [f"systemd-{program}", f"--root={tmp_path}", *create, TREE / "etc" / file / "nova.conf"],
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    (account,) = (
        line for line in (tmp_path / "etc/passwd").read_text().splitlines() if line.startswith("nova:")
    )
    uid, gid = (int(word) for word in account.split(":")[2:4])
    state = (tmp_path / "var/lib/nova").stat()
    assert (state.st_uid, state.st_gid) == (uid, gid)
    conf = (tmp_path / "etc/nova").stat()
    assert (conf.st_uid, conf.st_gid, conf.st_mode & 0o777) == (0, gid, 0o750), "it holds passwords"


def _python(directory: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, *words], cwd=directory, capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]
