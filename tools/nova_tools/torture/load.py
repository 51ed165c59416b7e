"""What clients do: each has its own servers, asks one thing after the other, remembers what it was told."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from nova_tools.torture import ledger as words
from nova_tools.torture.asking import Asker
from nova_tools.torture.guest_asking import Guest
from nova_tools.torture.http_client import Answer, Doors, user
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
    ("vnc", 3), ("guest-asks", 6), ("catalogue", 4),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Site:
    """What all clients of a cloud share."""

    doors: Sequence[int]
    ledger: Ledger
    stopping: threading.Event
    image: str
    metadata: Sequence[int] = ()
    """Ports of the metadata service."""
    secret: str = ""
    """What its proxy signs with."""


class Client(threading.Thread):
    """One client."""

    def __init__(self, number: int, seed: int, site: Site, mix: Sequence[tuple[str, int]] = _MIX) -> None:
        super().__init__(name=f"client-{number}", daemon=True)
        self.number = number
        self._random = random.Random(f"{seed}/{number}")
        self._project = f"project-{number % 4}"
        doors = Doors(site.doors, user(f"user-{number}", self._project))
        for _ in range(number % len(site.doors)):
            doors.next_door()
        self._asks = Asker(doors, site.ledger)
        self._guest = Guest(number, self._project, site) if site.metadata else None
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

    def _entry(self, kind: str) -> Entry:
        return Entry(kind=kind, client=self.number)

    def _about(
        self, kind: str, server: Server, method: str, path: str = "", body: object = None,
        *, again: bool | None = None,
    ) -> tuple[Entry, Answer]:  # fmt: skip
        return self._asks.about(self._entry(kind), server, method, path, body, again=again)

    def _order(self, kind: str, server: Server, body: object, *, again: bool | None = None) -> Entry:
        return self._about(kind, server, "POST", "/action", body, again=again)[0]

    def _pick(self) -> Server | None:
        known = [server for server in self._mine if not server.deleting]
        return self._random.choice(known) if known else None

    def _settle(self, server: Server) -> dict[str, Any] | None:
        """Wait until nothing is under way; return the server, none when it is gone or nothing can be said."""
        end, pause = time.monotonic() + SETTLE_S, 0.1
        while time.monotonic() < end:
            answer = self._about(words.POLL, server, "GET")[1]
            if answer.status == 404:
                self._gone(server)
                return None
            if answer.status == 200:
                body: dict[str, Any] = answer.body["server"]
                if body.get("OS-EXT-STS:task_state") is None and body["status"] != "BUILD":
                    server.busy = False
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
        entry, answer = self._asks.ask(asked, "POST", "/servers", {"server": wish})
        found = [str(answer.body["server"]["id"])] if entry.outcome == words.ACCEPTED else []
        if count > 1 or entry.outcome == words.LOST:
            found = self._named(tag)
        made = [Server(id=i, name=tag, client=self.number, metadata={"born": {tag}}) for i in found]
        for server in made:
            server.expected, server.last, server.busy = "ACTIVE", entry, True
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
        answer = self._asks.ask(self._entry("find"), "GET", f"/servers?name={tag}")[1]
        return [str(s["id"]) for s in answer.body["servers"]] if answer.status == 200 else []

    def _delete(self) -> None:
        server = self._pick()
        if server is not None:
            self._delete_one(server, wait=self._random.random() < 0.7)

    def _delete_one(self, server: Server, *, wait: bool) -> None:
        before, server.may_be_gone = server.may_be_gone, True
        entry, answer = self._about("delete", server, "DELETE")
        if entry.outcome == words.ACCEPTED or answer.status == 404:
            server.expected = "DELETED"
            self._gone(server)
            if entry.outcome == words.ACCEPTED:
                server.last = entry
            if wait:
                self._settle(server)
        elif entry.outcome == words.REFUSED:
            server.may_be_gone = before
            if answer.status == 409 and "locked" in entry.told:
                self._lock_or_unlock("unlock", server)
        else:
            server.doubt()

    def _gone(self, server: Server) -> None:
        """Do nothing more with a server that was deleted."""
        server.deleting = True
        if server in self._mine:
            self._mine.remove(server)

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
        answer = self._about("why", server, "GET", f"/os-instance-actions/{server.last.request_id}")[1]
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
        entry = self._order(name, server, {action: argument})
        if entry.outcome == words.ACCEPTED:
            server.last, server.expected, server.busy = entry, leads_to, True
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
        if self._order("snapshot", server, body).outcome != words.REFUSED:
            server.busy = True
        self._expect(server)

    def _lock(self) -> None:
        server = self._pick()
        if server is not None:
            for action in ("lock", "unlock"):
                self._lock_or_unlock(action, server)

    def _lock_or_unlock(self, action: str, server: Server) -> None:
        """A copy of a lock that comes after its unlock would be done: nothing is sent twice."""
        if self._order(action, server, {action: None}).outcome in (words.LOST, words.UNAVAILABLE):
            server.doubt(keep=True)

    # -- small changes -------------------------------------------------------------------------------------

    def _metadata(self) -> None:
        server = self._pick()
        if server is None:
            return
        key, value = f"k{self._random.randrange(3)}", f"{self._random.getrandbits(64):016x}"
        entry, _ = self._about("metadata", server, "PUT", f"/metadata/{key}", {"meta": {key: value}})
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
        entry, answer = self._about("tag", server, method, f"/tags/{tag}")
        if entry.outcome == words.ACCEPTED or (not wanted and answer.status == 404):
            server.tags[tag] = wanted
        elif entry.outcome != words.REFUSED:
            server.tags[tag] = None

    # -- reading -------------------------------------------------------------------------------------------

    def _show(self) -> None:
        server = self._pick()
        if server is not None:
            entry, answer = self._about("show", server, "GET")
            if answer.status == 200 and answer.body["server"]["id"] != server.id:
                self._ledger.complain(f"{entry.words()} told of {answer.body['server']['id']}")

    def _list(self) -> None:
        entry, answer = self._asks.ask(self._entry("list"), "GET", "/servers")
        if answer.status != 200:
            return
        seen = {str(server["id"]) for server in answer.body["servers"]}
        for server in self._mine:
            if server.id not in seen and not server.may_be_gone and len(seen) < 1000:
                self._ledger.complain(f"{entry.words()} did not name server {server.id}")

    def _detail(self) -> None:
        status = self._random.choice(("ACTIVE", "SHUTOFF", "ERROR"))
        path = f"/servers/detail?status={status}&limit=50"
        entry, answer = self._asks.ask(self._entry("list"), "GET", path)
        # What is being done to a server changes its status, not the state that the filter asks for.
        state = {"ACTIVE": "active", "SHUTOFF": "stopped", "ERROR": "error"}[status]
        if answer.status == 200 and any(
            server["OS-EXT-STS:vm_state"] != state for server in answer.body["servers"]
        ):
            self._ledger.complain(f"{entry.words()} named servers that are not {status}")

    def _console(self) -> None:
        server = self._pick()
        if server is not None:
            self._order("console", server, {"os-getConsoleOutput": {"length": 5}}, again=True)

    def _vnc(self) -> None:
        server = self._pick()
        if server is not None:
            body = {"remote_console": {"protocol": "vnc", "type": "novnc"}}
            entry, answer = self._about("vnc", server, "POST", "/remote-consoles", body, again=True)
            if answer.status == 200 and not answer.body["remote_console"].get("url"):
                self._ledger.complain(f"{entry.words()} brought no address")

    def _guest_asks(self) -> None:
        server = self._pick()
        if server is not None and self._guest is not None:
            self._guest.ask(server)

    def _catalogue(self) -> None:
        path = self._random.choice(("/flavors/detail", "/limits", "/os-availability-zone"))
        self._asks.ask(self._entry("catalogue"), "GET", path)
