"""A new environment takes the place of the old one while programs run on that."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from nova_tools import pythons
from nova_tools.places import Places
from nova_tools.processes import Program, Supervisor
from nova_tools.pythons import Environment
from nova_tools.trouble import Trouble
from nova_tools.waiting import wait_until

_PROGRAM = """\
import pathlib, sys, time
def main():
    asked, answer = map(pathlib.Path, sys.argv[1:])
    while not asked.exists():
        time.sleep(0.02)
    import told_late
    answer.write_text(told_late.VERSION)
    time.sleep(60)
"""


def wheel(folder: Path, version: str) -> Path:
    """Write a wheel with a program that imports one of its modules only when it is asked to."""
    path = folder / f"told-{version}-py3-none-any.whl"
    metadata = f"told-{version}.dist-info"
    files = {
        "told.py": _PROGRAM,
        "told_late.py": f"VERSION = {version!r}\n",
        f"{metadata}/METADATA": f"Metadata-Version: 2.1\nName: told\nVersion: {version}\n",
        f"{metadata}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{metadata}/entry_points.txt": "[console_scripts]\ntold = told:main\n",
    }
    files[f"{metadata}/RECORD"] = "".join(f"{name},,\n" for name in (*files, f"{metadata}/RECORD"))
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


class Bench:
    """An environment ``nova`` of one wheel, and a program that runs on it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.places = Places(home, home / "installed")
        self.supervisor = Supervisor(home / "run", home / "logs")
        self.asked, self.answer = home / "asked", home / "answer"

    def environment(self, *requirements: object) -> Environment:
        return Environment(name="nova", requirements=tuple(map(str, requirements)), proof=("told",))

    def provide(self, version: str) -> Environment:
        wanted = self.environment("--no-index", wheel(self.home, version))
        pythons.provide(self.places, wanted, self.home / "pip.log")
        return wanted

    @property
    def in_force(self) -> Path:
        return self.places.venv("nova").resolve()

    @property
    def kept(self) -> set[Path]:
        return {path for path in self.in_force.parent.glob("nova*") if not path.is_symlink()}

    def start(self) -> bool:
        program = self.places.venv("nova") / "bin/told"
        return self.supervisor.start(
            Program(
                name="told",
                argv=(str(program), str(self.asked), str(self.answer)),
                ready=lambda: True,
                runs_on=str(self.in_force),
            )
        )

    def version_told(self) -> str:
        self.answer.unlink(missing_ok=True)
        self.asked.touch()
        assert wait_until(lambda: self.answer.exists() and bool(self.answer.read_text()), 30)
        return self.answer.read_text()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_programs_run_on_the_old_environment_until_they_are_started_anew(bench: Bench) -> None:
    assert pythons.is_there(bench.places, bench.provide("1"))
    first = bench.in_force
    try:
        assert bench.start()
        assert not bench.start()
        wanted = bench.provide("2")
        assert pythons.is_there(bench.places, wanted)
        pythons.tidy(bench.places)
        assert bench.kept == {first, bench.in_force}
        assert bench.version_told() == "1"
        assert bench.start()
        assert bench.version_told() == "2"
        assert not bench.start()
        pythons.tidy(bench.places)
        assert bench.kept == {bench.in_force} != {first}
    finally:
        bench.supervisor.kill("told")


def test_an_environment_that_cannot_be_made_leaves_the_old_one_in_force(bench: Bench) -> None:
    wanted = bench.provide("1")
    with pytest.raises(Trouble):
        pythons.provide(bench.places, bench.environment(bench.home / "nothing.whl"), bench.home / "pip.log")
    assert pythons.is_there(bench.places, wanted)
    assert bench.kept == {bench.in_force}


@pytest.mark.parametrize("how", ["before it was complete", "before it was in force"])
def test_what_a_killed_run_left_is_removed(bench: Bench, how: str) -> None:
    venvs = bench.places.venv("nova").parent
    for name in ("nova.old", "nova.left"):
        (venvs / name / "bin").mkdir(parents=True)
    pythons.put_in_force(venvs / "nova.old", bench.places.venv("nova"))
    if how == "before it was in force":
        (venvs / ".nova.link").symlink_to("nova.left")
    pythons.put_in_force(venvs / "nova.old", bench.places.venv("nova"))
    pythons.tidy(bench.places)
    assert bench.kept == {venvs / "nova.old"} == {bench.in_force}


def test_a_folder_of_the_time_before_links_makes_way(bench: Bench) -> None:
    folder = bench.places.venv("nova")
    (folder / "bin").mkdir(parents=True)
    (folder.parent / "nova.new").mkdir()
    pythons.put_in_force(folder.parent / "nova.new", folder)
    assert bench.in_force == folder.parent / "nova.new"
    pythons.tidy(bench.places)
    assert bench.kept == {bench.in_force}
