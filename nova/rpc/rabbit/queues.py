"""Names of queues, and how they are declared.

``nova.<topic>`` and ``nova.<topic>.<server>`` hold requests, through the broker's default exchange; what is
for all goes through its ``amq.direct`` under the key ``nova.<topic>.all`` to a queue of each server that
listens now.  Both exchanges are in every virtual host and nobody can delete them.
``nova.answers.<id>`` holds the answers for one process, at one node of a cluster: while that node is down the
process takes another name.  ``nova.set-aside`` holds what nobody could serve.
"""

from __future__ import annotations

from typing import Any

TO_ALL_EXCHANGE = "amq.direct"
SET_ASIDE = "nova.set-aside"
ANSWERS_EXPIRE_MS = 600_000
PREFETCH = 64
"""Requests a server has in hand for each of its queues; the others wait at the broker, for any server."""

_SET_ASIDE_MOST, _SET_ASIDE_MS = 1000, 7 * 86_400_000


def of_topic(topic: str, server: str | None) -> str:
    return f"nova.{topic}.{server}" if server else f"nova.{topic}"


def to_all(topic: str) -> str:
    return f"nova.{topic}.all"


def answers(name: str) -> str:
    return f"nova.answers.{name}"


def declare_requests(channel: Any, name: str, *, quorum: bool) -> None:
    channel.queue_declare(name, durable=True, auto_delete=False, arguments=_kind(quorum))


def declare_copies(channel: Any, topic: str) -> str:
    """Make a queue for what is said to all of a topic, gone with the connection; return its name."""
    name: str = channel.queue_declare("", exclusive=True, auto_delete=True).queue
    channel.queue_bind(name, TO_ALL_EXCHANGE, to_all(topic))
    return name


def declare_answers(channel: Any, name: str) -> None:
    # Not exclusive: answers wait there while their process is between two connections.
    channel.queue_declare(name, durable=True, auto_delete=False, arguments={"x-expires": ANSWERS_EXPIRE_MS})


def declare_set_aside(channel: Any, *, quorum: bool) -> None:
    channel.queue_declare(
        SET_ASIDE,
        durable=True,
        auto_delete=False,
        # A quorum queue knows a limit to the age of messages since RabbitMQ 3.10.
        arguments=_kind(quorum) | {"x-max-length": _SET_ASIDE_MOST, "x-message-ttl": _SET_ASIDE_MS},
    )


def _kind(quorum: bool) -> dict[str, Any]:
    return {"x-queue-type": "quorum" if quorum else "classic"}
