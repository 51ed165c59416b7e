"""Asks one thing, keeps the answer, and notes at once what cannot be right in it."""

from __future__ import annotations

from nova_tools.torture import ledger as words
from nova_tools.torture.http_client import Answer, Doors
from nova_tools.torture.ledger import Entry, Ledger, Server

_AT_ANY_TIME = frozenset({"vnc", "console"})
"""What depends on a server's state: a client asks at any time, and may be told that it is the wrong one."""


class Asker:
    """A client's way to the doors; every answer goes through the ledger."""

    def __init__(self, doors: Doors, ledger: Ledger) -> None:
        self._doors = doors
        self._ledger = ledger

    def ask(
        self, entry: Entry, method: str, path: str, body: object = None, *, again: bool | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[Entry, Answer]:  # fmt: skip
        """Send a request and complete its entry."""
        answer = self._doors.ask(method, path, body, again=again, headers=headers)
        entry.outcome, entry.status = outcome_of(answer), answer.status
        entry.request_id, entry.tries = answer.request_id, answer.tries
        entry.began, entry.ended = answer.began, answer.began + answer.seconds
        entry.retry_after = answer.retry_after
        if entry.outcome not in (words.ACCEPTED, words.LOST):
            entry.told = str(answer.body)[:300]
        self._ledger.add(entry)
        return entry, answer

    def about(
        self, entry: Entry, server: Server, method: str, path: str = "", body: object = None,
        *, again: bool | None = None,
    ) -> tuple[Entry, Answer]:  # fmt: skip
        """Send a request about a server of one's own.

        Nobody else changes it, so one that nobody deleted is found, and one at rest is not busy.
        """
        entry.server, doubted = server.id, server.doubted()
        entry, answer = self.ask(entry, method, f"/servers/{server.id}{path}", body, again=again)
        # A server that is being built has no guest to ask yet.
        young = server.busy and entry.kind in _AT_ANY_TIME
        if answer.status == 404 and not (server.may_be_gone or young or "/tags/" in path):
            self._ledger.complain(f"{entry.words()} found nothing, though nobody deleted it")
        at_rest = not doubted and not server.busy and entry.kind not in _AT_ANY_TIME
        if answer.status == 409 and at_rest and answer.tries == 1:
            self._ledger.complain(f"{entry.words()} was refused though nothing was under way: {entry.told}")
        return entry, answer


def outcome_of(answer: Answer) -> str:
    """Put an answer into one of five words."""
    if answer.status == 0:
        return words.LOST
    if answer.status < 300:
        return words.ACCEPTED
    if answer.status < 500:
        return words.REFUSED
    return words.UNAVAILABLE if answer.status == 503 else words.FAILED
