"""The load: HTTP from many processes, so that the driver's own interpreter lock is in nobody's figures."""

from __future__ import annotations

import http.client
import json
import multiprocessing
import time
import urllib.parse
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

_FORK = multiprocessing.get_context("fork")
_SECONDS = 300.0


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint of the Compute API, whoever implements it, and what stands behind it."""

    name: str
    endpoint: str
    auth_url: str = ""
    user: str = "admin"
    password: str = ""
    project: str = "admin"
    token: str = ""
    """A token to use as it is; empty: ask ``auth_url``."""
    image: str
    flavor: str
    microversion: str = "2.96"
    watch: dict[str, list[int]] = {}
    """Process ids of every daemon, broker and database behind the endpoint, by name."""

    def logged_in(self) -> Target:
        """Return the same with a fresh token."""
        if not self.auth_url:
            return self
        who = {"name": self.user, "domain": {"name": "Default"}, "password": self.password}
        scope = {"project": {"name": self.project, "domain": {"name": "Default"}}}
        body = {"auth": {"identity": {"methods": ["password"], "password": {"user": who}}, "scope": scope}}
        client = Client(self, base=self.auth_url)
        answer = client.ask("POST", "/auth/tokens", body)
        if answer.status != 201:
            raise RuntimeError(f"{self.auth_url}: {answer.status} {answer.body[:300]!r}")
        return msgspec.structs.replace(self, token=answer.headers["x-subject-token"])


class Answer(NamedTuple):
    """Status, headers and body of an answer."""

    status: int
    headers: dict[str, str]
    body: bytes


class Client:
    """One connection that is kept; opened again when the server closed it."""

    def __init__(self, target: Target, base: str = "") -> None:
        parts = urllib.parse.urlsplit(base or target.endpoint)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._path = parts.path.rstrip("/")
        self._connection: http.client.HTTPConnection | None = None
        self._headers = {
            "Accept": "application/json",
            "OpenStack-API-Version": f"compute {target.microversion}",
            "X-OpenStack-Nova-API-Version": target.microversion,
        }
        if target.token:
            self._headers["X-Auth-Token"] = target.token

    def ask(self, method: str, path: str, body: Any = None) -> Answer:
        """Send one request; a connection that was closed meanwhile is opened once more."""
        headers, data = self._headers, None
        if body is not None:
            data = json.dumps(body)
            headers = headers | {"Content-Type": "application/json"}
        while True:
            fresh = self._connection is None
            if self._connection is None:
                self._connection = http.client.HTTPConnection(self._host, self._port, timeout=_SECONDS)
            try:
                self._connection.request(method, self._path + path, data, headers)
                answer = self._connection.getresponse()
                read = answer.read()
            except (http.client.BadStatusLine, ConnectionError):
                self._connection.close()
                self._connection = None
                if fresh:
                    raise
                continue
            if answer.will_close:
                self._connection.close()
                self._connection = None
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, read)

    def json(self, method: str, path: str, body: Any = None) -> Any:
        """Send one request and decode the answer; ``RuntimeError`` when it is no success."""
        answer = self.ask(method, path, body)
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {answer.body[:300]!r}")
        return json.loads(answer.body) if answer.body else None


class Sample(NamedTuple):
    """One request: when it was sent and answered (monotonic), its status, and what the work noted."""

    number: int
    began: float
    ended: float
    status: int
    note: Any

    @property
    def seconds(self) -> float:
        return self.ended - self.began


Work = Callable[[Client, int], tuple[int, Any]]
"""Does request number n; returns its status and a note."""


def _timed(work: Work, client: Client, number: int) -> Sample:
    began = time.monotonic()
    try:
        status, note = work(client, number)
    except Exception as error:  # counted as an error, never hidden
        status, note = 599, repr(error)[:200]
    return Sample(number, began, time.monotonic(), status, note)


def many(target: Target, count: int, clients: int, work: Work, most_s: float | None = None) -> list[Sample]:
    """Do ``count`` requests from so many processes at once, in the order in which they began.

    After ``most_s`` nothing new is begun, but at least five requests are done.
    """
    if clients == 1:
        client, samples, began = Client(target), [], time.monotonic()
        for number in range(count):
            if most_s and number >= 5 and time.monotonic() - began > most_s:
                break
            samples.append(_timed(work, client, number))
        return samples
    counter, together = _FORK.Value("i", 0), _FORK.Barrier(clients)

    def one(pipe: Any) -> None:
        client, samples = Client(target), []
        together.wait()
        began = time.monotonic()
        while True:
            with counter.get_lock():
                number = counter.value
                counter.value += 1
            if number >= count or (most_s and number >= 5 and time.monotonic() - began > most_s):
                break
            samples.append(_timed(work, client, number))
        pipe.send(samples)
        pipe.close()

    pipes, processes = [], []
    for _ in range(clients):
        ours, theirs = _FORK.Pipe(False)
        process = _FORK.Process(target=one, args=(theirs,), daemon=True)
        process.start()
        theirs.close()
        pipes.append(ours)
        processes.append(process)
    samples = [sample for pipe in pipes for sample in pipe.recv()]
    for process in processes:
        process.join()
    return sorted(samples, key=lambda sample: sample.began)


class Beside:
    """Does something in a process of its own while the block runs; ``result()`` waits for what it returns."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._ours, theirs = _FORK.Pipe(False)

        def run() -> None:
            theirs.send(call())

        self._process = _FORK.Process(target=run, daemon=True)
        self._process.start()
        theirs.close()

    def result(self) -> Any:
        """Wait for the end and return the result."""
        found = self._ours.recv()
        self._process.join()
        return found

    def drop(self) -> None:
        """End it without its result."""
        self._process.terminate()
        self._process.join()
