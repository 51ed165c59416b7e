"""What need not be found out or done again: facts of the machine, and what stands in a cloud's databases."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from nova_tools.cloud.parts import Cloud
from nova_tools.stamps import Stamps, fingerprint


def recall_machine(cloud: Cloud) -> None:
    """Give a new cloud what an earlier one found out about KVM (nova-compute sees whether it still holds)."""
    kept = cloud.places.known / "virt-type"
    if kept.exists() and not cloud.virt_type.exists():
        shutil.copyfile(kept, cloud.virt_type)


def keep_machine(cloud: Cloud) -> None:
    """Before a cloud is forgotten: keep what it found out about KVM."""
    with suppress(OSError):
        cloud.places.known.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(cloud.virt_type, cloud.places.known / "virt-type")


def once(cloud: Cloud, name: str, database: Path, deed: Callable[[], object], *inputs: object) -> bool:
    """Do a deed whose outcome stands in a database, unless it was done to just this one with these inputs.

    Returns whether it was done now. Another database in the same place (after a ``reset``) is another one.
    """
    stamps = Stamps(cloud.places.home / "done")
    if database.exists() and stamps.holds(name, _mark(database, inputs)):
        return False
    deed()
    stamps.put(name, _mark(database, inputs))
    return True


def _mark(database: Path, inputs: tuple[object, ...]) -> str:
    return fingerprint(database.stat().st_ino, *inputs)
