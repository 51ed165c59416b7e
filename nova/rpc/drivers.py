"""Our transports as drivers of oslo.messaging (entry points ``memory``, ``lean``) for programs that use it.

``lean://user:password@host:port/virtual-host`` is RabbitMQ.  Nova's own daemons reach the transports directly
and never import the library for them.
"""

# ruff: noqa: ARG002 - the signatures are the library's

from __future__ import annotations

import json
from typing import Any

from oslo_messaging import exceptions
from oslo_messaging._drivers import base, common

from nova import ids
from nova.rpc.broker import prepare
from nova.rpc.memory import MemoryTransport, bus_named
from nova.rpc.rabbit.brokers import Tls, read_url
from nova.rpc.rabbit.transport import RabbitTransport
from nova.rpc.transport import Address, Incoming, ReplyTimeout, Transport, Unreachable


class _Received(base.RpcIncomingMessage):  # type: ignore[misc]
    """A message in the form the library's servers take."""

    def __init__(self, incoming: Incoming) -> None:
        content = json.loads(incoming.body)
        incoming.begin()
        incoming.end()
        super().__init__(
            content["context"], content["message"], content["id"] if incoming.expects_reply else None
        )
        self.orig_msg_id = self.msg_id if incoming.expects_reply else None
        self._incoming = incoming

    def reply(self, reply: Any = None, failure: Any = None) -> None:
        if self.orig_msg_id is not None:
            told = common.serialize_remote_exception(failure) if failure else None
            self._incoming.reply(json.dumps({"result": reply, "failure": told}).encode())

    def acknowledge(self) -> None:
        """Nothing to do: messages are taken for good."""

    def requeue(self) -> None:
        self._incoming.hand_back()

    def heartbeat(self) -> None:
        """Nothing to do: both ends are one process."""


class _Listener(base.Listener):  # type: ignore[misc]
    """Hands messages to the library one by one, without a thread of its own."""

    def __init__(self, transport: Transport, places: list[tuple[str, str]]) -> None:
        super().__init__(1, None)
        self._transport = transport
        self._places = places
        self._listeners: list[Any] = []

    def start(self, on_incoming_callback: Any) -> None:
        super().start(on_incoming_callback)
        for topic, server in self._places:
            self._listeners.append(self._transport.listen(topic, server, self._take))

    def _take(self, incoming: Incoming) -> None:
        try:
            received = _Received(incoming)
        except (ValueError, KeyError, TypeError):
            incoming.set_aside("garbage")
            incoming.end()
            return
        self.on_incoming_callback([received])

    def stop(self) -> None:
        for listener in self._listeners:
            listener.stop()
        super().stop()

    def cleanup(self) -> None:
        """Nothing is held."""


class _Driver(base.BaseDriver):  # type: ignore[misc]
    """The library's RPC and notifications over a transport of ours."""

    def __init__(
        self, conf: Any, url: Any, default_exchange: str | None = None, allowed_remote_exmods: Any = None
    ) -> None:
        super().__init__(conf, url, default_exchange, allowed_remote_exmods)
        self._transport = self._make(conf, url)

    def _make(self, conf: Any, url: Any) -> Transport:
        raise NotImplementedError

    def require_features(self, requeue: bool = False) -> None:
        """Everything the library may ask for is there."""

    def _topic(self, target: Any) -> str:
        return f"{target.exchange or self._default_exchange}/{target.topic}"

    def send(
        self,
        target: Any,
        ctxt: dict[str, Any],
        message: dict[str, Any],
        wait_for_reply: bool | None = None,
        timeout: float | None = None,
        **_others: Any,
    ) -> Any:
        to = Address(self._topic(target), target.server, bool(target.fanout))
        body = json.dumps({"context": ctxt, "message": message, "id": ids.new_uuid()}).encode()
        try:
            if not wait_for_reply:
                return self._transport.cast(to, body)
            answer = json.loads(self._transport.call(to, body, timeout or 60.0))
        except ReplyTimeout as error:
            raise exceptions.MessagingTimeout(f"nobody answered on {to.topic}") from error
        except Unreachable as error:
            raise exceptions.MessageDeliveryFailure(str(error)) from error
        if answer["failure"]:
            raise common.deserialize_remote_exception(answer["failure"], self._allowed_remote_exmods)
        return answer["result"]

    def send_notification(
        self, target: Any, ctxt: dict[str, Any], message: dict[str, Any], version: float, retry: Any = None
    ) -> None:
        self.send(target, ctxt, message)

    def listen(self, target: Any, batch_size: int, batch_timeout: float | None) -> _Listener:
        return _Listener(self._transport, [(self._topic(target), target.server)])

    def listen_for_notifications(
        self, targets_and_priorities: Any, pool: str | None, batch_size: int, batch_timeout: float | None
    ) -> _Listener:
        if pool:
            raise NotImplementedError("pools of notification listeners")
        places = [(f"{self._topic(target)}.{priority}", "") for target, priority in targets_and_priorities]
        return _Listener(self._transport, places)

    def cleanup(self) -> None:
        self._transport.close()


class MemoryDriver(_Driver):
    """``memory:///name``: queues in this process."""

    def _make(self, conf: Any, url: Any) -> Transport:
        return MemoryTransport(bus_named(url.virtual_host or ""))


class LeanDriver(_Driver):
    """``lean://...``: RabbitMQ, spoken directly, with TLS and queues as ``[oslo_messaging_rabbit]`` says."""

    def _make(self, conf: Any, url: Any) -> Transport:
        prepare(conf)
        said = conf.oslo_messaging_rabbit
        files = Tls(said.ssl_ca_file or None, said.ssl_cert_file or None, said.ssl_key_file or None)
        site = read_url(
            str(url),
            tls=files if said.ssl else None,
            tls_files=files,
            heartbeat_s=float(said.heartbeat_timeout_threshold),
            quorum=said.rabbit_quorum_queue,
        )
        return RabbitTransport(site)
