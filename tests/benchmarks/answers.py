"""Are the answers the same?  Status and fields of both sides, before anything is timed."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from tests.benchmarks import servers
from tests.benchmarks.clients import Client, Target

Shape = dict[str, Any]


class Difference(msgspec.Struct, frozen=True):
    """Where two implementations answer differently."""

    what: str
    ours: str
    theirs: str


def shape(value: Any) -> Any:
    """Return what an answer looks like: keys and kinds, without the values."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in sorted(value.items())}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "null" if value is None else type(value).__name__


def observed(target: Target) -> dict[str, Any]:
    """Ask what the scenarios ask; return status and shape of each answer."""
    client = Client(target)
    found: dict[str, Any] = {}
    made = client.ask("POST", "/servers", servers.wish(target, "bench-answers"))
    found["create"] = _seen(made.status, made.body)
    server = json.loads(made.body)["server"]["id"]
    servers.wait_all(target, "bench-answers", 1, "ACTIVE")
    reads = {
        "show": f"/servers/{server}",
        "list": "/servers/detail?name=bench-answers&limit=1",
        "short list": "/servers?name=bench-answers&limit=1",
        "flavors": "/flavors/detail",
        "flavor": f"/flavors/{target.flavor}",
        "actions": f"/servers/{server}/os-instance-actions",
        "not there": "/servers/00000000-0000-0000-0000-000000000000",
        "bad limit": "/servers/detail?limit=-1",
    }
    for name, path in reads.items():
        answer = client.ask("GET", path)
        found[name] = _seen(answer.status, answer.body)
    bad = client.ask("POST", "/servers", {"server": {"name": "x"}})
    found["bad create"] = _seen(bad.status, bad.body)
    for name, action in (("stop", "os-stop"), ("start", "os-start")):
        answer = client.ask("POST", f"/servers/{server}/action", {action: None})
        found[name] = _seen(answer.status, answer.body)
        state = "SHUTOFF" if name == "stop" else "ACTIVE"
        servers.wait_all(target, "bench-answers", 1, state)
    gone = client.ask("DELETE", f"/servers/{server}")
    found["delete"] = _seen(gone.status, gone.body)
    servers.wait_gone(target, "bench-answers")
    return found


def _seen(status: int, body: bytes) -> Any:
    return {"status": status, "body": shape(json.loads(body)) if body else None}


def differences(ours: dict[str, Any], theirs: dict[str, Any]) -> list[Difference]:
    """Compare what two sides answered."""
    found: list[Difference] = []
    for name in ours:
        _compare(name, ours[name], theirs[name], found)
    return found


_FREE = (".metadata", ".properties", ".extra_specs", ".addresses", ".details")
"""Fields whose keys are data."""


def _compare(where: str, ours: Any, theirs: Any, found: list[Difference]) -> None:
    if where.endswith(_FREE):
        return
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted(ours.keys() | theirs.keys()):
            _compare(f"{where}.{key}", ours.get(key, "absent"), theirs.get(key, "absent"), found)
    elif isinstance(ours, list) and isinstance(theirs, list) and ours and theirs:
        _compare(f"{where}[]", ours[0], theirs[0], found)
    elif ours != theirs and "null" not in (ours, theirs):
        # Null or not is a matter of the moment (times, hosts, task states).
        found.append(Difference(where, json.dumps(ours)[:80], json.dumps(theirs)[:80]))
