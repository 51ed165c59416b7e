"""What clients do: each has its own servers, asks one thing after the other, remembers what it was told."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from nova_tools.torture import ledger as words
from nova_tools.torture.http_client import Answer, Doors
from nova_tools.torture.ledger import Entry, Ledger, Server

MOST_SERVERS = 4
SETTLE_S = 240.0
"""How long a client waits for an action to end before it leaves the server to the judge."""

_ACTIONS: dict[str, tuple[str, object, str]] = {
    "stop": ("os-stop", None, "SHUTOFF"),
    "start": ("os-start", None, "ACTIVE"),
    "reboot-soft": ("reboot", {"type": "SOFT"}, "ACTIVE"),
    "reboot-hard": ("reboot", {"type": "HARD"}, "ACTIVE"),
    "pause": ("pause", None, "PAUSED"),
    "unpause": ("unpause", None, "ACTIVE"),
    "suspend": ("suspend", None, "SUSPENDED"),
    "resume": ("resume", None, "ACTIVE"),
}
_FROM: dict[str, tuple[str, ...]] = {
    "ACTIVE": ("stop", "stop", "reboot-soft", "reboot-hard", "pause", "suspend"),
    "SHUTOFF": ("start", "start", "reboot-hard"),
    "PAUSED": ("unpause",),
    "SUSPENDED": ("resume",),
}
_MIX: tuple[tuple[str, int], ...] = (
    ("create", 16), ("create-many", 4), ("create-and-delete", 3), ("show", 14), ("list", 10), ("detail", 4),
    ("act", 26), ("snapshot", 2), ("lock", 3), ("metadata", 8), ("tag", 4), ("delete", 12), ("console", 3),
    ("vnc", 3), ("catalogue", 4),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Site:
    """What all clients of a cloud share."""

    doors: Sequence[int]
    ledger: Ledger
    stopping: threading.Event
    image: str


class Client(threading.Thread):
    """One client."""

    def __init__(self, number: int, seed: int, site: Site, mix: Sequence[tuple[str, int]] = _MIX) -> None:
        super().__init__(name=f"client-{number}", daemon=True)
        self.number = number
        self._random = random.Random(f"{seed}/{number}")
        self._doors = Doors(site.doors, f"user-{number}", f"project-{number % 4}")
        for _ in range(number % len(site.doors)):
            self._doors.next_door()
        self._ledger = site.ledger
        self._stopping = site.stopping
        self._image = site.image
        self._mix = mix
        self._mine: list[Server] = []
        self._made = 0

    def run(self) -> None:
        names, weights = [name for name, _ in self._mix], [weight for _, weight in self._mix]
        while not self._stopping.is_set():
            deed: Callable[[], None] = getattr(
                self, "_" + self._random.choices(names, weights)[0].replace("-", "_")
            )
            try:
                deed()
            except Exception as error:  # the judge must hear of it, and the load must go on
                self._ledger.complain(f"client {self.number} met {type(error).__name__}: {error}")
            self._stopping.wait(self._random.uniform(0.0, 0.15))

    # -- asking --------------------------------------------------------------------------------------------

    def _ask(
        self, entry: Entry, method: str, path: str, body: object = None, *, again: bool | None = None
    ) -> tuple[Entry, Answer]:
        """Send a request and complete its entry."""
        answer = self._doors.ask(method, path, body, again=again)
        entry.outcome, entry.status = outcome_of(answer), answer.status
        entry.request_id, entry.seconds, entry.tries = answer.request_id, answer.seconds, answer.tries
        if entry.outcome not in (words.ACCEPTED, words.LOST):
            entry.told = str(answer.body)[:300]
        if entry.outcome == words.UNAVAILABLE and answer.retry_after is None:
            self._ledger.complain(f"{entry.kind} was answered 503 without Retry-After: {entry.told}")
        self._ledger.add(entry)
        return entry, answer

    def _about(self, kind: str, server: Server | None = None) -> Entry:
        return Entry(kind=kind, client=self.number, server=server.id if server else None)

    def _pick(self) -> Server | None:
        known = [server for server in self._mine if not server.deleting]
        return self._random.choice(known) if known else None

    def _show_one(self, server: Server) -> Answer:
        return self._doors.ask("GET", f"/servers/{server.id}")

    def _settle(self, server: Server) -> dict[str, Any] | None:
        """Wait until nothing is under way; return the server, none when it is gone or nothing can be said."""
        end, pause = time.monotonic() + SETTLE_S, 0.1
        while time.monotonic() < end:
            answer = self._show_one(server)
            if answer.status == 404:
                return None
            if answer.status == 200:
                body: dict[str, Any] = answer.body["server"]
                if body.get("OS-EXT-STS:task_state") is None and body["status"] != "BUILD":
                    return body
            if self._stopping.wait(pause):
                return None
            pause = min(1.0, pause * 1.4)
        self._ledger.complain(f"server {server.id} ({server.name}) was busy for {SETTLE_S:.0f} s")
        return None

    # -- creating and deleting -----------------------------------------------------------------------------

    def _create(self, count: int = 1, *, delete_at_once: bool = False) -> None:
        if len(self._mine) >= MOST_SERVERS:
            self._delete()
            return
        self._made += 1
        tag = f"t{self.number}-{self._made}-{self._random.getrandbits(32):08x}"
        wish: dict[str, object] = {
            "name": tag, "imageRef": self._image, "flavorRef": self._random.choice("112"),
            "networks": self._random.choice(("auto", "none")), "metadata": {"born": tag},
        }  # fmt: skip
        if count > 1:
            wish |= {"min_count": count, "max_count": count}
        asked = Entry(kind="create", client=self.number, tag=tag, count=count)
        entry, answer = self._ask(asked, "POST", "/servers", {"server": wish})
        found = [str(answer.body["server"]["id"])] if entry.outcome == words.ACCEPTED else []
        if count > 1 or entry.outcome == words.LOST:
            found = self._named(tag)
        made = [Server(id=i, name=tag, client=self.number, metadata={"born": {tag}}) for i in found]
        for server in made:
            server.expected, server.last = "ACTIVE", entry
            self._ledger.know(server)
            self._mine.append(server)
        if delete_at_once:
            for server in made:
                self._delete_one(server, wait=True)
        elif self._random.random() < 0.8:
            for server in made:
                self._expect(server)

    def _create_many(self) -> None:
        self._create(self._random.choice((2, 3)))

    def _create_and_delete(self) -> None:
        self._create(delete_at_once=True)

    def _named(self, tag: str) -> list[str]:
        """Find what a create made whose answer does not name it all, or was lost."""
        answer = self._doors.ask("GET", f"/servers?name={tag}")
        return [str(s["id"]) for s in answer.body["servers"]] if answer.status == 200 else []

    def _delete(self) -> None:
        server = self._pick()
        if server is not None:
            self._delete_one(server, wait=self._random.random() < 0.7)

    def _delete_one(self, server: Server, *, wait: bool) -> None:
        entry, answer = self._ask(self._about("delete", server), "DELETE", f"/servers/{server.id}")
        if entry.outcome == words.ACCEPTED or answer.status == 404:
            server.deleting, server.expected = True, "DELETED"
            self._mine.remove(server)
            if entry.outcome == words.ACCEPTED:
                server.last = entry
            if wait:
                self._settle(server)
        elif entry.outcome != words.REFUSED:
            server.doubt()

    # -- acting --------------------------------------------------------------------------------------------

    def _expect(self, server: Server) -> str | None:
        """Wait for a server and compare; return its status, none when nothing can be said."""
        body = self._settle(server)
        if body is None:
            return None
        status = str(body["status"])
        if status == "ERROR":
            if not body.get("fault", {}).get("message"):
                self._ledger.complain(f"server {server.id} is in ERROR and no fault says why")
            self._delete_one(server, wait=False)
            return status
        if not server.doubted() and status != server.expected and not self._explained(server):
            asked = f"{server.last.kind} ({server.last.request_id})" if server.last else "nothing"
            self._ledger.complain(
                f"server {server.id} is {status}, not {server.expected}, after {asked} ended"
            )
        if not server.doubted():
            server.expected = status
        return status

    def _explained(self, server: Server) -> bool:
        """Tell whether the last action says itself that it failed, and why."""
        if server.last is None or not server.last.request_id:
            return True
        path = f"/servers/{server.id}/os-instance-actions/{server.last.request_id}"
        answer = self._doors.ask("GET", path)
        if answer.status != 200:
            return False
        events = answer.body["instanceAction"].get("events") or []
        return bool(answer.body["instanceAction"]["message"]) or any(e["result"] == "Error" for e in events)

    def _act(self) -> None:
        server = self._pick()
        if server is None:
            self._create()
            return
        status = self._expect(server)
        if status not in _FROM or server.deleting:
            return
        name = self._random.choice(_FROM[status])
        action, argument, leads_to = _ACTIONS[name]
        entry, _ = self._ask(
            self._about(name, server), "POST", f"/servers/{server.id}/action", {action: argument}
        )
        if entry.outcome == words.ACCEPTED:
            server.last, server.expected = entry, leads_to
        elif entry.outcome in (words.LOST, words.UNAVAILABLE):
            server.doubt()
        if self._random.random() < 0.75:
            self._expect(server)

    def _snapshot(self) -> None:
        server = self._pick()
        if server is None or self._expect(server) not in ("ACTIVE", "SHUTOFF"):
            return
        name = f"picture-{self.number}-{self._random.getrandbits(32):08x}"
        body = {"createImage": {"name": name}}
        self._ask(self._about("snapshot", server), "POST", f"/servers/{server.id}/action", body)
        self._expect(server)

    def _lock(self) -> None:
        server = self._pick()
        if server is not None:
            for action in ("lock", "unlock"):
                path = f"/servers/{server.id}/action"
                self._ask(self._about(action, server), "POST", path, {action: None}, again=True)

    # -- small changes -------------------------------------------------------------------------------------

    def _metadata(self) -> None:
        server = self._pick()
        if server is None:
            return
        key, value = f"k{self._random.randrange(3)}", f"{self._random.getrandbits(64):016x}"
        entry, _ = self._ask(
            self._about("metadata", server),
            "PUT",
            f"/servers/{server.id}/metadata/{key}",
            {"meta": {key: value}},
        )
        if entry.outcome == words.ACCEPTED:
            server.metadata[key] = {value}
        elif entry.outcome != words.REFUSED:
            server.metadata.setdefault(key, {""}).add(value)

    def _tag(self) -> None:
        server = self._pick()
        if server is None:
            return
        tag, wanted = f"tag{self._random.randrange(3)}", self._random.random() < 0.7
        method = "PUT" if wanted else "DELETE"
        entry, answer = self._ask(self._about("tag", server), method, f"/servers/{server.id}/tags/{tag}")
        if entry.outcome == words.ACCEPTED or (not wanted and answer.status == 404):
            server.tags[tag] = wanted
        elif entry.outcome != words.REFUSED:
            server.tags[tag] = None

    # -- reading -------------------------------------------------------------------------------------------

    def _show(self) -> None:
        server = self._pick()
        if server is not None:
            entry, _ = self._ask(self._about("show", server), "GET", f"/servers/{server.id}")
            if entry.status == 404:
                self._ledger.complain(f"server {server.id} is not found, though nobody deleted it")

    def _list(self) -> None:
        _, answer = self._ask(self._about("list"), "GET", "/servers")
        if answer.status != 200:
            return
        seen = {str(server["id"]) for server in answer.body["servers"]}
        for server in self._mine:
            if server.id not in seen and not server.deleting and len(seen) < 1000:
                self._ledger.complain(f"server {server.id} is missing in a list")

    def _detail(self) -> None:
        status = self._random.choice(("ACTIVE", "SHUTOFF", "ERROR"))
        self._ask(self._about("list"), "GET", f"/servers/detail?status={status}&limit=50")

    def _console(self) -> None:
        server = self._pick()
        if server is not None:
            body = {"os-getConsoleOutput": {"length": 5}}
            path = f"/servers/{server.id}/action"
            self._ask(self._about("console", server), "POST", path, body, again=True)

    def _vnc(self) -> None:
        server = self._pick()
        if server is not None:
            body = {"remote_console": {"protocol": "vnc", "type": "novnc"}}
            path = f"/servers/{server.id}/remote-consoles"
            self._ask(self._about("vnc", server), "POST", path, body, again=True)

    def _catalogue(self) -> None:
        path = self._random.choice(("/flavors/detail", "/limits", "/os-availability-zone"))
        self._ask(self._about("catalogue"), "GET", path)


def outcome_of(answer: Answer) -> str:
    """Put an answer into one of five words."""
    if answer.status == 0:
        return words.LOST
    if answer.status < 300:
        return words.ACCEPTED
    if answer.status < 500:
        return words.REFUSED
    return words.UNAVAILABLE if answer.status == 503 else words.FAILED
