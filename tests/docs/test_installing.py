"""The commands of ``doc/source/installing.rst``, those that need no running systemd."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from nova import __version__
from nova_tools.commands import environment
from nova_tools.places import CHECKOUT
from tests.docs import pages

PAGE = "doc/source/installing.rst"
BLOCKS = pages.blocks(PAGE)
LINES = [line.strip() for block in BLOCKS for line in block.splitlines()]
PROGRAMS = next(block for block in BLOCKS if "systemd-sysusers" in block)
UNITS = {path.stem for path in (CHECKOUT / "etc/systemd").glob("*.service")}
_WHEEL = "import sys, setuptools.build_meta as b; b.build_wheel(sys.argv[1])"


def bash(script: str, directory: Path) -> str:
    done = subprocess.run(
        ["bash", "-e", "-c", script], cwd=directory, env=environment(), capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def packages() -> list[str]:
    """Return the names of all packages that the page names."""
    found = [
        line.removeprefix("apt-get install -y ").split() for line in LINES if line.startswith("apt-get ")
    ]
    sentence = re.search(r"(?s)\n(``python3-venv``.*?)beside ours\.", pages.text(PAGE))
    assert sentence is not None
    return [*(name for names in found for name in names), *re.findall(r"``([\w-]+)``", sentence[1])]


def test_packages_that_the_page_names_can_be_had(tmp_path: Path) -> None:
    assert {"libvirt-daemon-system", "nftables", "python3-venv", "libvirt-dev"} <= set(packages())
    bash(f"apt-get -s install {' '.join(packages())}", tmp_path)  # fails at a name it does not know


def test_units_that_the_page_names_are_there() -> None:
    started = [line.split()[3:] for line in LINES if line.startswith("systemctl enable --now ")]
    assert started
    assert {name for names in started for name in names} <= UNITS
    told = set(re.findall(r"nova-[a-z-]+", pages.text(PAGE)))
    assert UNITS - {"nova-all", "nova-api-os-compute"} <= told, "each daemon runs on some machine"


def test_the_wheel_is_built_from_a_folder_that_is_not_packed_into_it() -> None:
    made = [line.split()[-1] for line in LINES if line.startswith("python3 -m venv ") and "/" not in line]
    assert made and "build" not in made, "setuptools packs what it finds below build/lib"


def test_the_programs_come_onto_a_machine(tmp_path: Path) -> None:
    assert f"/opt/nova-{__version__}/bin/pip install dist/nova-{__version__}-*.whl" in PROGRAMS
    source = tmp_path / "source"
    source.mkdir()
    for name in ("nova", "alembic", "etc"):
        shutil.copytree(CHECKOUT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.cfg", "pyproject.toml", "README.rst", "LICENSE"):
        shutil.copy(CHECKOUT / name, source)
    (source / "dist").mkdir()
    subprocess.run(
        [sys.executable, "-c", _WHEEL, "dist"], cwd=source, capture_output=True, timeout=180, check=True
    )
    root = tmp_path / "root"
    for folder in ("opt", "usr/bin"):
        (root / folder).mkdir(parents=True)
    script = re.sub(r"(?<![\w./])/(?=(?:opt|usr|etc)/)", f"{root}/", PROGRAMS)
    # What it needs is not fetched here; the account and the packages have tests of their own.
    script = script.replace("pip install ", "pip install --no-deps --no-index ")
    script = "\n".join(line for line in script.splitlines() if not line.startswith(("systemd-", "apt-get ")))
    bash(script, source)
    for unit in UNITS:
        assert (root / "usr/bin" / unit).resolve().parent == root / f"opt/nova-{__version__}/bin"
        assert (root / "etc/systemd/system" / f"{unit}.service").is_file()
    for program in ("nova-manage", "nova-status"):
        assert (root / "usr/bin" / program).exists()
    assert {path.stat().st_mode & 0o777 for path in root.glob("usr/lib/*/nova.conf")} == {0o644}
