"""libvirt's states in our words."""

from __future__ import annotations

import libvirt
import pytest

from nova.objects.states import Power
from nova.virt.libvirt.power import power_of


@pytest.mark.parametrize(
    ("state", "reason", "saved", "expected"),
    [
        (libvirt.VIR_DOMAIN_RUNNING, 0, False, Power.RUNNING),
        (libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_USER, False, Power.PAUSED),
        (libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_IOERROR, False, Power.PAUSED),
        (libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_SAVE, False, Power.RUNNING),
        (libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_SHUTDOWN, False, Power.SHUTDOWN),
        (libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_SAVED, True, Power.SUSPENDED),
        (libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_CRASHED, False, Power.CRASHED),
        (libvirt.VIR_DOMAIN_CRASHED, 0, False, Power.CRASHED),
        (libvirt.VIR_DOMAIN_PMSUSPENDED, 0, False, Power.SUSPENDED),
        (99, 0, False, Power.NOSTATE),
    ],
)
def test_power(state: int, reason: int, saved: bool, expected: Power) -> None:
    assert power_of(state, reason, saved=saved) is expected
