"""The form of a cloud: what ``up`` was told, kept so that it can be run again without saying it again."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from nova_tools.trouble import Trouble

DRIVERS = ("libvirt", "fake")
DATABASES = ("sqlite", "mariadb", "postgresql")


@dataclass(frozen=True, kw_only=True)
class Ports:
    """Every port of the cloud; ``offset`` moves all of them, so that two clouds can stand side by side."""

    keystone: int = 5000
    glance: int = 9292
    compute: int = 8774
    metadata: int = 8775
    novnc: int = 6080
    rabbitmq: int = 5672
    rabbitmq_dist: int = 25672
    rabbitmq_epmd: int = 24369
    mariadb: int = 3307
    postgresql: int = 5433
    health: int = 9770

    @classmethod
    def shifted(cls, offset: int) -> Ports:
        """Return the usual ports, each so much higher."""
        return cls(**{field.name: int(getattr(cls, field.name)) + offset for field in fields(cls)})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The chosen form."""

    split: bool = False
    database: str = "sqlite"
    driver: str = "libvirt"
    hosts: int = 1
    port_offset: int = 0
    address: str = "127.0.0.1"
    guest_range: str = ""
    """Addresses of the guests, chosen once so that it meets no network of this machine."""

    @property
    def ports(self) -> Ports:
        return Ports.shifted(self.port_offset)

    def words(self) -> str:
        """Say the form in the words of the command line."""
        words = ["--split"] if self.split else []
        if self.split and self.database != "mariadb":
            words.append(f"--database {self.database}")
        if self.driver != "libvirt":
            words.append(f"--driver {self.driver} --hosts {self.hosts}")
        return " ".join(words) or "the default form"


def choose(wished: dict[str, Any], path: Path) -> Settings:
    """Return the form to bring up: the one kept in ``path``, else the wished one.

    ``wished`` holds only what the caller said outright.  Raises :class:`Trouble` when a cloud stands there
    in another form: its database and broker cannot be exchanged under it.
    """
    kept = load(path)
    if kept is None:
        return _complete(wished)
    if wished:
        # What was not said is as it would be in a new cloud, but an address range is only ever chosen here.
        asked = replace(_complete(wished), guest_range=kept.guest_range, port_offset=kept.port_offset)
        if "address" not in wished:
            asked = replace(asked, address=kept.address)
        if asked != kept:
            raise Trouble(
                f"A cloud of another form stands here ({kept.words()}, not {asked.words()})",
                "Run './tools/cloud reset' first, which removes it with its servers, or 'up' without options",
            )
    return kept


def _complete(wished: dict[str, Any]) -> Settings:
    split = bool(wished.get("split"))
    given = {"database": "mariadb" if split else "sqlite", **wished}
    if given["database"] != "sqlite" and not split:
        given["split"] = split = True
    if given.get("hosts", 1) > 1 and given.get("driver") != "fake":
        raise Trouble("Several hosts on one machine need the fake driver", "Add --driver fake")
    return Settings(**{"port_offset": port_offset(), **given})


def port_offset() -> int:
    """Read ``NOVA_CLOUD_PORT_OFFSET``."""
    text = os.environ.get("NOVA_CLOUD_PORT_OFFSET", "0")
    if not text.isdigit() or int(text) > 30000:
        raise Trouble(f"NOVA_CLOUD_PORT_OFFSET is {text!r}", "It must be a number from 0 to 30000")
    return int(text)


def load(path: Path) -> Settings | None:
    """Read what ``store`` wrote; None when there is no cloud."""
    try:
        return Settings(**json.loads(path.read_text()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError):
        raise Trouble(
            f"{path} is damaged, so what stands here cannot be told",
            "Run './tools/cloud reset', which forgets this cloud with its servers, and 'up' again",
        ) from None


def store(settings: Settings, path: Path) -> None:
    """Keep the form."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(asdict(settings), indent=1))
    fresh.replace(path)
