"""What the scenarios of openstacksdk share; in the clients' Python, so it imports nothing of ours."""

from __future__ import annotations

import itertools

STEM = "sdk-kept-"
LETTERS = "abcde"
_numbers = itertools.count(1)


def boot(conn, wait=True, **more):
    """Create a server of the smallest flavor; return it when it is there."""
    wish = {
        "name": f"sdk-{next(_numbers)}",
        "image_id": conn.image.find_image("tiny").id,
        "flavor_id": conn.compute.find_flavor("m1.nano").id,
        "networks": "none",
    }
    made = conn.compute.create_server(**{k: v for k, v in (wish | more).items() if v is not None})
    if not wait:
        return made
    return idle(conn, made, "ACTIVE")


def idle(conn, server, status):
    """Wait until a server has a status and nothing is under way."""
    conn.compute.wait_for_server(server, status=status, interval=0.2, wait=120)
    for _ in range(600):
        found = conn.compute.get_server(server.id)
        if found.task_state is None:
            assert found.status == status, found
            return found
    raise AssertionError(found)


def drop(conn, *servers):
    for server in servers:
        conn.compute.delete_server(server, ignore_missing=True)
    for server in servers:
        conn.compute.wait_for_delete(server, interval=0.2, wait=120)


def refused(kind, ask, *words):
    """Require that a request is refused as that kind of error, with these words."""
    try:
        ask()
    except kind as error:
        said = f"{error} {getattr(error, 'details', '')}"
        assert all(word in said for word in words), said
        return said
    raise AssertionError("it was not refused")


def names(found):
    return "".join(sorted(server.name.removeprefix(STEM) for server in found))
