"""The ``nova-manage`` commands that setting up a cloud takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nova_tools.commands import run
from nova_tools.trouble import Trouble

_SECONDS = 120.0


@dataclass(frozen=True)
class GuestNetwork:
    """The network for everybody: flat DHCP on a bridge, or on paper only where no guest is real."""

    label: str
    cidr: str
    bridge: str | None


def sync(program: Path, conf_file: Path, logs: Path) -> None:
    """Bring the database's schema up to date. Idempotent."""
    run([program, "--config-file", conf_file, "db", "sync"], log=logs / "nova-manage.log", seconds=_SECONDS)


def ensure_network(program: Path, conf_file: Path, logs: Path, network: GuestNetwork) -> None:
    """Make the guests' network unless it is there."""
    words = [
        "network", "create", "--label", network.label, "--fixed-range-v4", network.cidr,
        "--dns1", "8.8.8.8",
        *(("--bridge", network.bridge) if network.bridge else ("--topology", "none")),
    ]  # fmt: skip
    log = logs / "nova-manage.log"
    listed = run([program, "--config-file", conf_file, "network", "list"], seconds=_SECONDS)
    if network.label in listed.split():
        return
    try:
        run([program, "--config-file", conf_file, *words], log=log, seconds=_SECONDS)
    except Trouble as failure:
        raise Trouble(
            f"The guests' network {network.cidr} could not be made: {failure.what}", f"See {log}"
        ) from None
