"""2.6: one resource gives every kind of console; the console actions end."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.6",
    summary="One resource gives every kind of console; the console actions end.",
    adds_operations=("remote_consoles.create",),
    ends_operations=(
        "remote_consoles.os-getRDPConsole",
        "remote_consoles.os-getSPICEConsole",
        "remote_consoles.os-getSerialConsole",
        "remote_consoles.os-getVNCConsole",
    ),
)
