"""The operator's part of the metadata: a file, and services that are asked for each guest."""

from __future__ import annotations

import logging
import os
import ssl
import threading
import urllib.error
import urllib.request
from typing import Any

import msgspec

from nova.clock import Clock
from nova.conf.metadata import MetadataConf
from nova.errors.metadata import VendorDataMissing
from nova.guestdata.facts import Facts, VendorData
from nova.guestdata.vendor_data import USER_AGENT, parse_targets, question, read_answer, read_static
from nova.objects.ids import InstanceId

_LOG = logging.getLogger(__name__)

LIMIT = 1024 * 1024
"""Bytes of a file or an answer that are read."""
_LOOK_AGAIN_S = 5.0
_REMEMBERED = 1000


class _Unmoved(urllib.request.HTTPRedirectHandler):
    """A service is where the operator says it is: guests' data goes nowhere else."""

    def redirect_request(self, *_: Any) -> None:
        return None


class VendorSource:
    """Where vendor data comes from."""

    def __init__(self, conf: MetadataConf, clock: Clock) -> None:
        self._targets = parse_targets(conf.vendor_targets)
        self._file = conf.vendor_file
        self._clock = clock
        self._timeout_s = conf.vendor_timeout_s
        self._must_answer = conf.vendor_must_answer
        self._cache_s = conf.cache_s
        trust = ssl.create_default_context(cafile=conf.vendor_ca_file) if self._targets else None
        https = [urllib.request.HTTPSHandler(context=trust)] if trust is not None else []
        self._opener = urllib.request.build_opener(_Unmoved(), urllib.request.ProxyHandler({}), *https)
        self._lock = threading.Lock()
        self._static: dict[str, Any] = {}
        self._looked_at: float | None = None
        self._stamp: tuple[int, int] | None = None
        self._answers: dict[InstanceId, tuple[float, dict[str, Any]]] = {}

    def for_guest(self, facts: Facts, *, dynamic: bool) -> VendorData:
        """Return the vendor data of a guest; the services are asked only with ``dynamic``.

        Raises :class:`VendorDataMissing` when a service that must answer does not; without that rule a silent
        one counts as an empty object.
        """
        said = self._asked(facts) if dynamic and self._targets else {}
        return VendorData(static=self._read_file(), dynamic=said)

    def _read_file(self) -> dict[str, Any]:
        if self._file is None:
            return {}
        now = self._clock.monotonic()
        with self._lock:
            if self._looked_at is not None and now - self._looked_at < _LOOK_AGAIN_S:
                return self._static
            self._looked_at = now
            try:
                found = os.stat(self._file)
                stamp = (found.st_mtime_ns, found.st_size)
                if stamp != self._stamp:
                    with open(self._file, "rb") as file:
                        self._static = read_static(file.read(LIMIT))
                    self._stamp = stamp
            except OSError as error:
                _LOG.warning("vendor data cannot be read: %s", error)
            return self._static

    def _asked(self, facts: Facts) -> dict[str, Any]:
        guest, now = facts.md.guest.id, self._clock.monotonic()
        with self._lock:
            known = self._answers.get(guest)
        if known is not None and now < known[0]:
            return known[1]
        body = msgspec.json.encode(question(facts))
        said = {name: self._ask(name, url, body) for name, url in self._targets.items()}
        with self._lock:
            if len(self._answers) >= _REMEMBERED:
                self._answers.clear()
            self._answers[guest] = (now + self._cache_s, said)
        return said

    def _ask(self, name: str, url: str, body: bytes) -> dict[str, Any]:
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "User-Agent": USER_AGENT,
        }
        request = urllib.request.Request(url, data=body, headers=headers, method="POST")
        try:
            with self._opener.open(request, timeout=self._timeout_s) as answer:
                return read_answer(answer.read(LIMIT))
        except (OSError, ValueError, urllib.error.URLError) as error:
            _LOG.warning("vendor data of %s could not be had: %s", name, error)
            if self._must_answer:
                raise VendorDataMissing(target=name) from error
            return {}
