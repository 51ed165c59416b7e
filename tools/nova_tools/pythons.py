"""Virtual environments: made with uv when it can be had, else with venv and pip.

Each lies in a folder of its own (``nova.k3x1f``); ``nova`` is a link to the one in force.  A new one is made
beside the old one and takes its place in one step: what runs on the old one goes on until it is restarted.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from nova_tools.commands import environment, run, tail
from nova_tools.locks import only_one
from nova_tools.places import CHECKOUT, Places
from nova_tools.stamps import fingerprint
from nova_tools.trouble import Trouble

_SECONDS = 900.0


@dataclass(frozen=True, kw_only=True)
class Environment:
    """A virtual environment to have: its name and what pip would be told to install."""

    name: str
    requirements: tuple[str, ...]
    proof: tuple[str, ...]
    """Console scripts that exist when it is complete."""

    @property
    def inputs(self) -> str:
        """What makes a new installation necessary."""
        ours = any(str(CHECKOUT) in word for word in self.requirements)
        declared = CHECKOUT / "setup.cfg" if ours else ""
        return fingerprint(self.requirements, sys.version_info[:3], declared)


IDENTITY = Environment(
    name="identity",
    requirements=("keystone==30.0.0", "glance==33.0.0", "waitress>=3.0"),
    proof=("keystone-manage", "glance-manage"),
)
CLIENTS = Environment(
    name="clients",
    requirements=("python-novaclient==18.*", "python-openstackclient==10.*", "openstacksdk==4.*"),
    proof=("nova", "openstack"),
)
NOVA = Environment(name="nova", requirements=("-e", str(CHECKOUT)), proof=("nova-all", "nova-manage"))
TESTS = Environment(name="tests", requirements=("-e", f"{CHECKOUT}[tests]"), proof=("pytest", "ruff", "mypy"))


def template(installed: Path, service: str) -> Path:
    """Return where the fresh database of Keystone or Glance is kept: one for each version installed."""
    return installed / "templates" / f"{service}-{IDENTITY.inputs}"


def is_there(places: Places, wanted: Environment) -> bool:
    """Tell whether an environment stands and still runs."""
    binaries = places.venv(wanted.name) / "bin"
    if not all((binaries / script).exists() for script in wanted.proof):
        return False
    started = subprocess.run(
        [binaries / "python", "-c", "import sys"], env=environment(), check=False, timeout=60
    )
    return started.returncode == 0


def provide_uv(places: Places, log: Path) -> str | None:
    """Put uv into an environment of its own. When that cannot be had, pip will do: no error."""
    if _uv(places) is not None:
        return None
    try:
        _make_with_venv(places.venv("uv"), log)
        run([places.venv("uv") / "bin/pip", "install", "-q", "uv"], log=log, seconds=180)
    except Trouble:
        return "uv is not to be had, pip does the work"
    return None


def provide(places: Places, wanted: Environment, log: Path) -> str | None:
    """Make the environment anew beside the one that is in force, and put it in force once it is complete.

    Raises :class:`Trouble` when the package index is out of reach or something does not build; the one before
    stays in force then.
    """
    target = places.venv(wanted.name)
    with only_one(_lock(target)):
        fresh = _folder_beside(target)
        try:
            remark = _fill(places, wanted, fresh, log)
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            raise
        put_in_force(fresh, target)
    return remark


def put_in_force(fresh: Path, target: Path) -> None:
    """Make ``target`` lead to the environment ``fresh`` beside it."""
    link = target.with_name(f".{target.name}.link")
    link.unlink(missing_ok=True)
    link.symlink_to(fresh.name)
    if target.is_dir() and not target.is_symlink():  # of a time when there was one folder for all
        target.rename(_folder_beside(target))
    link.replace(target)


def tidy(places: Places) -> None:
    """Remove environments that are not in force, unless a program still runs on them. Idempotent."""
    for wanted in (IDENTITY, CLIENTS, NOVA, TESTS):
        target = places.venv(wanted.name)
        if not _out_of_force(target):
            continue
        with only_one(_lock(target)):  # nobody is just making one
            in_use = "".join(_used_files())
            for folder in _out_of_force(target):
                if f"{folder}/" not in in_use:
                    shutil.rmtree(folder, ignore_errors=True)


def _out_of_force(target: Path) -> list[Path]:
    return [folder for folder in target.parent.glob(f"{target.name}.*") if folder != target.resolve()]


def _used_files() -> Iterator[str]:
    """Read what each process was started from and has mapped (compiled modules)."""
    for process in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "maps"):
            with suppress(OSError):
                yield (process / name).read_text(errors="replace")


def _lock(target: Path) -> Path:
    return target.with_name(f".{target.name}.lock")


def _folder_beside(target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{target.name}.", dir=target.parent))
    folder.chmod(0o755)
    return folder


def _fill(places: Places, wanted: Environment, target: Path, log: Path) -> str | None:
    uv = _uv(places)
    if uv is not None:
        try:
            python = _base_python()
            run(
                [uv, "venv", "-q", "--python", python, target],
                log=log,
                env=_uv_environment(places),
                seconds=60,
            )
            run(
                [uv, "pip", "install", "-q", "--python", target / "bin/python", *wanted.requirements],
                log=log, env=_uv_environment(places), seconds=_SECONDS,
            )  # fmt: skip
        except Trouble:
            shutil.rmtree(target, ignore_errors=True)  # once more with pip, which knows its own settings
        else:
            return None
    _make_with_venv(target, log)
    try:
        run([target / "bin/pip", "install", "-q", *wanted.requirements], log=log, seconds=_SECONDS)
    except Trouble as failure:
        raise explain(tail(log, 60), log, failure) from None
    return "with pip"


def explain(output: str, log: Path, failure: Trouble) -> Trouble:
    """Turn the usual failures of pip into a sentence each."""
    unreachable = ("NewConnectionError", "Failed to establish", "Name or service not known", "ConnectTimeout",
                   "Temporary failure in name resolution", "Connection refused", "ProxyError")  # fmt: skip
    if any(words in output for words in unreachable):
        return Trouble(
            "The Python package index cannot be reached",
            f"Check the network (and pip's index setting), then run this again (see {log})",
        )
    if "No space left on device" in output:
        return Trouble("The disk is full", "Free some gigabytes and run this again")
    return failure


def _make_with_venv(target: Path, log: Path) -> None:
    run([_base_python(), "-m", "venv", "--clear", target], log=log, seconds=120)


def _base_python() -> str:
    """The interpreter behind us, also when we run inside some virtual environment."""
    base: str = getattr(sys, "_base_executable", None) or sys.executable
    return base


def _uv(places: Places) -> Path | None:
    own = places.venv("uv") / "bin/uv"
    return own if own.exists() else None


def _uv_environment(places: Places) -> dict[str, str]:
    env = environment(UV_PYTHON_DOWNLOADS="never", UV_NO_PROGRESS="1", UV_HTTP_TIMEOUT="120")
    # One file system for cache and environments: uv links files instead of copying them.
    env.setdefault("UV_CACHE_DIR", str(places.installed / "uv-cache"))
    if "PIP_INDEX_URL" in os.environ:
        env.setdefault("UV_DEFAULT_INDEX", os.environ["PIP_INDEX_URL"])
    env.pop("VIRTUAL_ENV", None)
    return env
