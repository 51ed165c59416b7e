"""The bench of the driver under test and what its guests were heard to do."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import pytest

from nova.objects.ids import InstanceId
from nova.objects.states import Power
from tests.contract.virt.benches import BENCHES, Bench
from tests.support import netns


class Heard:
    """Listens to power events."""

    def __init__(self) -> None:
        self.events: list[tuple[InstanceId, Power]] = []

    def __call__(self, instance_id: InstanceId, power: Power) -> None:
        self.events.append((instance_id, power))


@pytest.fixture
def heard() -> Heard:
    return Heard()


NEEDS_ROOT = pytest.mark.skipif(not netns.CAN_MAKE, reason="network namespaces need root")
DRIVERS = [pytest.param(name, marks=NEEDS_ROOT if name == "libvirt" else ()) for name in sorted(BENCHES)]


@pytest.fixture(params=DRIVERS)
def bench(request: pytest.FixtureRequest, tmp_path: pathlib.Path, heard: Heard) -> Iterator[Bench]:
    """A started driver without guests; whatever a test leaves running is destroyed."""
    making = BENCHES[request.param](tmp_path)
    bench = next(making)
    bench.driver.start(heard)
    try:
        yield bench
        for guest in bench.driver.guests():
            bench.driver.destroy(guest.instance_id, "end of the test")
        bench.driver.stop()
    finally:
        for _ in making:
            raise AssertionError("a maker yields once")
