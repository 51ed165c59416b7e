"""Requests of every kind that go on while something is done to the broker."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from nova.errors.rpc import NoAnswer
from tests.contract.rpc.shop import Endpoint, Shop, Tea, asked
from tests.contract.rpc.sites import Site
from tests.support.eventually import eventually

PATIENCE = {"broker_wait_s": 170.0, "resend_after_s": 3.0}


class Load:
    """Threads that look, buy and deliver until they are told to stop; what fails is kept."""

    def __init__(self, shop: Shop, site: Site, patience_s: float | None = None) -> None:
        self.patience_s = patience_s
        self.client = shop.client(site.transport(), **PATIENCE)
        self.wrong: list[str] = []
        self.bought: list[str] = []
        self.untold: list[str] = []
        """Bought or not: the answer did not come."""
        self.delivered: list[int] = []
        self.looked_at = [time.monotonic()]
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._repeat, args=(work, who), daemon=True)
            for who, work in enumerate((self._look, self._look, self._buy, self._buy, self._deliver))
        ]

    def _repeat(self, work: object, who: int) -> None:
        number = 0
        while not self._stopping.is_set():
            number += 1
            try:
                work(who * 100_000 + number)  # type: ignore[operator]
            except Exception as error:
                self.wrong.append(f"{work}: {type(error).__name__}: {error}")
            self._stopping.wait(0.01)

    def _look(self, number: int) -> None:
        tea = Tea(name=f"tea {number}")
        assert self.client.any.look(asked(), tea) == tea
        self.looked_at.append(time.monotonic())

    def _buy(self, number: int) -> None:
        try:
            assert self.client.any.buy(asked(self.patience_s), str(number)) == 1
        except NoAnswer:
            # The queue was deleted with this request in it, or the answer was on a connection that was cut.
            assert self.patience_s is not None
            self.untold.append(str(number))
        else:
            self.bought.append(str(number))

    def _deliver(self, number: int) -> None:
        self.client.any.deliver(asked(), number)
        self.delivered.append(number)

    def _counts(self) -> tuple[int, int, int]:
        return len(self.looked_at), len(self.bought) + len(self.untold), len(self.delivered)

    @contextmanager
    def running(self) -> Iterator[None]:
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._stopping.set()
            for thread in self._threads:
                thread.join(180)
        assert not any(thread.is_alive() for thread in self._threads)

    def progress(self, within_s: float) -> float:
        """Wait until every kind of request was done again; return how long that took."""
        begun = time.monotonic()
        counts = self._counts()
        eventually(
            lambda: all(now > before + 3 for now, before in zip(self._counts(), counts, strict=True)),
            within_s=within_s,
            what="requests go on",
        )
        return time.monotonic() - begun


def nothing_lost(load: Load, endpoint: Endpoint) -> None:
    """Find that nothing failed, and that what was told done was done, once where that was promised."""
    assert load.wrong == []
    assert set(load.bought) <= set(endpoint.bought) and max(endpoint.bought.values()) == 1
    # Told ok means done, if not at once; it may be done twice.
    eventually(lambda: set(load.delivered) <= set(endpoint.delivered), within_s=60)
